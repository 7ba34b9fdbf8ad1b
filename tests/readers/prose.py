"""Sentences of a report's page, as a reader meets them."""

import re
from html.parser import HTMLParser

BLOCKS = ("p", "li", "dd", "figcaption", "caption")
"""Elements that hold prose."""
HIDDEN = ("svg", "nav", "style", "script", "code", "dialog", "form", "noscript")
"""Elements whose text is no prose."""


class Prose(HTMLParser):
    """The text of each element that holds prose: its kind, and what is written."""

    def __init__(self, page):
        super().__init__()
        self.blocks, self.open, self.hidden = [], [], 0
        self.feed(page[page.index("<body>") :])

    def handle_starttag(self, tag, attributes):
        if tag in HIDDEN:
            self.hidden += 1
        elif tag in BLOCKS:
            self.open.append(len(self.blocks))
            self.blocks.append([tag, ""])

    def handle_endtag(self, tag):
        if tag in HIDDEN:
            self.hidden -= 1
        elif tag in BLOCKS:
            self.open.pop()

    def handle_data(self, data):
        if self.open and not self.hidden:
            self.blocks[self.open[-1]][1] += data


def blocks_of(page, *kinds):
    """Return the text of elements of some kinds, on one line each."""
    found = (" ".join(text.split()) for kind, text in Prose(page).blocks if kind in kinds)
    return [text for text in found if text]


def sentences_of(text):
    """Split a text into its sentences; a dot inside of quotation marks or brackets ends none.

    Examples
    --------
    >>> sentences_of("It is 1.5 (no. 2 of 3.). “A. B” is shown. So it is.")
    ['It is 1.5 (no. 2 of 3.).', '“A. B” is shown.', 'So it is.']
    """
    found, start, depth = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "“(") - (sign in "”)")
        if sign in ".!?" and depth <= 0 and re.match(r"\s+\S|\s*$", text[place + 1 :]):
            found.append(text[start : place + 1].strip())
            start = place + 1
    return [one for one in [*found, text[start:].strip()] if one]


def intervals_of(sentence):
    """Return the intervals that stand in a sentence.

    Examples
    --------
    >>> intervals_of("45.0% (38.1 to 52.0) against 63.5% (56.0–70.4), in 30 (of 40)")
    ['(38.1 to 52.0)', '(56.0–70.4)']
    """
    number = r"[+−]?\d[\d.]*(?: or (?:less|more))?"
    return re.findall(rf"\({number}(?: to |–){number}[^)]*\)", sentence)


def words_of(sentence):
    """Return the words that a reader has to hold: a quotation is one, and what is in brackets none.

    Examples
    --------
    >>> words_of("Of 40, “a long label” is 12.0% (3.9 to 20.2).")
    ['Of', '40,', '“”', 'is', '12.0%']
    """
    bare = re.sub(r"“[^”]*”", "“”", re.sub(r"\[[^]]*\]|\([^()]*\)", "", sentence))
    return [word for word in bare.split() if re.search(r"[\w“]", word)]
