"""Who is served next: each client in turn, so that one with many questions does not keep the others waiting."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_agent.errors import RagAgentError

__all__ = ["Line", "LineFullError", "Ticket"]


class LineFullError(RagAgentError):
    """As many questions wait as are let wait."""


class Ticket:
    """A place in the line."""

    def __init__(self, client: str) -> None:
        """Of a client, told apart by any text."""
        self.client = client
        self.served = False
        self.place = 0
        """How many are served before it."""
        self._moved = asyncio.Event()

    def move(self, place: int) -> None:
        """Tell how many are served before it now."""
        if place != self.place:
            self.place = place
            self._moved.set()

    def serve(self) -> None:
        """It is its turn."""
        self.served = True
        self._moved.set()

    async def places(self) -> AsyncIterator[int]:
        """Its place, counted from 1, whenever it changes; ends when it is served."""
        told = 0
        while not self.served:
            if told != self.place + 1:
                told = self.place + 1
                yield told
            await self._moved.wait()
            self._moved.clear()


class Line:
    """A fair queue of one event loop."""

    def __init__(self, at_once: int, most: int) -> None:
        """Serve `at_once` at a time, and let `most` wait."""
        self._free = at_once
        self._most = most
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def enter(self, client: str) -> AsyncIterator[Ticket]:
        """Wait in the line; read `Ticket.places` to its end before the work begins.

        Raises:
            LineFullError: Too many wait.
        """
        ticket = Ticket(client)
        if self._free:
            self._free -= 1
            ticket.served = True
        elif self.waiting >= self._most:
            raise LineFullError(f"{self.waiting} questions are waiting already; ask again in a moment")
        else:
            self._waiting.setdefault(client, deque()).append(ticket)
            self._tell()
        try:
            yield ticket
        finally:
            self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        if not ticket.served:  # it went away while it waited
            self._waiting[ticket.client].remove(ticket)
            if not self._waiting[ticket.client]:
                del self._waiting[ticket.client]
        elif self._waiting:
            client, tickets = self._waiting.popitem(last=False)
            tickets.popleft().serve()
            if tickets:
                self._waiting[client] = tickets  # behind all other clients
        else:
            self._free += 1
        self._tell()

    def _tell(self) -> None:
        rounds = [list(tickets) for tickets in self._waiting.values()]
        place = 0
        for turn in range(max(map(len, rounds), default=0)):
            for tickets in rounds:
                if turn < len(tickets):
                    tickets[turn].move(place)
                    place += 1
