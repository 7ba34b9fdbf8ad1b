"""A disk that fills up while a test writes."""

import resource
from contextlib import contextmanager


@contextmanager
def room_for(size):
    """Let no file grow beyond a size, in bytes. Python is not killed for it, but gets an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
