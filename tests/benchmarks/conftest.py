import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def torch_as_it_was():
    """Benchmarks are programs of their own: they set torch's seed and threads."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)
