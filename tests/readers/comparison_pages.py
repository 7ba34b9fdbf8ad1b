"""What the page of a comparison says, read back."""

import html as markup
import re


def text_of(page):
    """Return the text of the page's body, with the markup inside its sentences left out."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", "", body)))
