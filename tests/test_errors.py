import inspect

import pytest

from rag_agent import RagAgentError, errors

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_in_the_tree_and_in_its_drawing(error: type[Exception]) -> None:
    assert issubclass(error, RagAgentError)
    assert error.__name__ in (errors.__doc__ or "")


def test_a_missing_model_is_an_error_of_a_model() -> None:
    assert issubclass(errors.ModelNotFoundError, errors.ModelError)
    assert issubclass(errors.BackendError, errors.ModelError)
    assert issubclass(errors.ContextLengthError, errors.ModelError)
