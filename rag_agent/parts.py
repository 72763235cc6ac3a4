"""Parts of an object that are made at their first use, once, however many threads use them first."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload


class Making(Protocol):
    """An object with parts: its lock is held while one is made. A part may need others, so it can be taken again."""

    making: threading.RLock


Part = TypeVar("Part")


class made_once(Generic[Part]):
    """`functools.cached_property` with a lock, which that has not from Python 3.12 on."""

    def __init__(self, make: Callable[[Any], Part]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "made_once[Part]": ...
    @overload
    def __get__(self, instance: Making, owner: type) -> Part: ...
    def __get__(self, instance: Making | None, owner: type) -> "made_once[Part] | Part":
        """The part; made under the lock of its object where it is not there yet."""
        if instance is None:
            return self
        with instance.making:
            parts = instance.__dict__
            if self._name not in parts:  # once it is there, Python finds it before it asks here
                parts[self._name] = self._make(instance)
            part: Part = parts[self._name]
            return part
