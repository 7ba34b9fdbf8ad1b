"""How a classifier's input is made: as the user declares, else as its source says, or an error."""

from smallsight import params
from smallsight.classifiers import facts
from smallsight.runtime.errors import ParameterError

WHERE = "params.classifier.preprocessing"


def resolve(
    declared: params.Preprocessing, carried: params.Preprocessing, where: object
) -> tuple[facts.Preprocessing, tuple[str, ...]]:
    """Join what is declared to what the source carries; what is declared wins.

    Parameters
    ----------
    where
        The source, for the error.

    Returns
    -------
    preprocessing
        With all its numbers.
    notes
        What is declared otherwise than the source has it, a line each.

    Raises
    ------
    ParameterError
        Names all that is neither declared nor carried.
    """
    chosen, notes, missing = {}, [], []
    for key, own in carried:
        value = getattr(declared, key)
        if value is None and own is None:
            missing.append(key)
        elif value is not None and own is not None and value != own:
            notes.append(f"preprocessing: {key} {_text(value)} as declared, not {_text(own)}")
        chosen[key] = own if value is None else value
    if missing:
        found = f"no {', '.join(missing)} for {where}"
        raise ParameterError(WHERE, found, "what it was trained with: the file does not say")
    return facts.Preprocessing(**chosen), tuple(notes)


def _text(value: object) -> str:
    return ", ".join(f"{part:g}" for part in value) if isinstance(value, tuple) else str(value)
