"""Blocking methods, made of the async ones: a line for each, without a copy of its signature.

`get = call(People.get)` is a descriptor that type checkers and editors read as the method itself,
with its parameters and docstring, but without `await`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from ..concurrency.loop_thread import EventLoopThread
from ..engine.pages import Pages
from .pages import SyncPages

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")
Item = TypeVar("Item")
G = TypeVar("G", bound="SyncMethods[object]")


class SyncMethods(Generic[A_co]):
    """Blocking methods of an async client, or of a group of its methods."""

    def __init__(self, thread: EventLoopThread, aio: A_co) -> None:
        self._thread = thread
        self._aio = aio

    @property
    def loop_thread(self) -> EventLoopThread:
        """Where the async methods run."""
        return self._thread

    @property
    def aio(self) -> A_co:
        """The object with the async methods."""
        return self._aio


class SyncMethod(Generic[P, R]):
    """A blocking method: `get = call(People.get)`.

    Args:
        method: The async method, or the one that returns `Pages`.
        make: Makes a function that blocks of a bound method.
        returns: What comes before the text of its return annotation.
    """

    def __init__(
        self,
        method: Callable[..., object],
        make: Callable[[EventLoopThread, Callable[P, object]], Callable[P, R]],
        returns: str = "",
    ) -> None:
        self.__doc__ = method.__doc__
        self.__wrapped__ = method
        self._make = make
        self._returns = returns
        self.__name__ = method.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature, with `self`."""
        signature = inspect.signature(self.__wrapped__)
        returns = f"{self._returns}{signature.return_annotation}"
        return signature.replace(return_annotation=returns)

    def __call__(self, instance: SyncMethods[object], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the method of an object."""
        return self.__get__(instance, type(instance))(*args, **kwargs)

    @overload
    def __get__(self, instance: None, owner: type) -> SyncMethod[P, R]: ...
    @overload
    def __get__(self, instance: SyncMethods[object], owner: type) -> Callable[P, R]: ...
    def __get__(
        self, instance: SyncMethods[object] | None, owner: type
    ) -> SyncMethod[P, R] | Callable[P, R]:
        if instance is None:
            return self
        bound = cast("Callable[P, object]", getattr(instance.aio, self.__name__))
        function = self._make(instance.loop_thread, bound)
        with_self = self.__signature__
        signature = with_self.replace(parameters=[*with_self.parameters.values()][1:])
        function.__name__ = self.__name__
        function.__qualname__ = f"{owner.__qualname__}.{self.__name__}"
        function.__module__ = owner.__module__
        function.__doc__ = self.__doc__
        for name, value in (("__wrapped__", bound), ("__signature__", signature)):
            setattr(function, name, value)
        vars(instance)[self.__name__] = function  # found before this descriptor from now on
        return function


def call(method: Callable[Concatenate[A, P], Awaitable[R]]) -> SyncMethod[P, R]:
    """The blocking form of a method that is awaited."""

    def make(thread: EventLoopThread, bound: Callable[P, object]) -> Callable[P, R]:
        awaitable = cast("Callable[P, Awaitable[R]]", bound)

        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            return thread.run(awaitable, *args, **kwargs)

        return run

    return SyncMethod(method, make)


def listing(method: Callable[Concatenate[A, P], Pages[Item]]) -> SyncMethod[P, SyncPages[Item]]:
    """The blocking form of a method that returns `Pages`."""

    def make(thread: EventLoopThread, bound: Callable[P, object]) -> Callable[P, SyncPages[Item]]:
        pages = cast("Callable[P, Pages[Item]]", bound)

        def list_pages(*args: P.args, **kwargs: P.kwargs) -> SyncPages[Item]:
            return SyncPages(thread, pages(*args, **kwargs))

        return list_pages

    return SyncMethod(method, make, "Sync")


class SyncMethodGroup(Generic[G]):
    """A group of blocking methods: `people = SyncMethodGroup(SyncPeople)`."""

    def __init__(self, kind: type[G]) -> None:
        self.__doc__ = kind.__doc__
        self._kind = kind
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> SyncMethodGroup[G]: ...
    @overload
    def __get__(self, instance: SyncMethods[object], owner: type) -> G: ...
    def __get__(self, instance: SyncMethods[object] | None, owner: type) -> SyncMethodGroup[G] | G:
        if instance is None:
            return self
        group = self._kind(instance.loop_thread, getattr(instance.aio, self._name))
        vars(instance)[self._name] = group
        return group
