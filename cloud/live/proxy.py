"""The load balancer as a real HTTP and TCP proxy: one listening socket for each listener."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import h11

from cloud.live.addresses import Addresses, is_free
from cloud.live.loop import Loop
from cloud.live.routing import Address, Turns, action_for, location_for
from cloud.twin.engines import FixedResponse, Forward, Routing

IDLE_SECONDS = 60.0
READ_BYTES = 65_536
# Headers that belong to one hop only.
_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"}
_UNAVAILABLE = FixedResponse(503, "text/html", "<h1>503 Service Temporarily Unavailable</h1>")
_BAD_GATEWAY = FixedResponse(502, "text/html", "<h1>502 Bad Gateway</h1>")
_TIMED_OUT = FixedResponse(504, "text/html", "<h1>504 Gateway Time-out</h1>")
_BAD_REQUEST = FixedResponse(400, "text/html", "<h1>400 Bad Request</h1>")

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class LiveTraffic:
    """A TrafficEngine of real sockets; each load balancer has a loopback address of its own."""

    def __init__(self, loop: Loop, addresses: Addresses) -> None:
        self._loop = loop
        self._addresses = addresses
        self._turns = Turns()
        self._load_balancers: dict[str, str] = {}
        self._routings: dict[str, Routing] = {}
        self._servers: dict[str, asyncio.Server] = {}

    def address(self, load_balancer_arn: str) -> str:
        if load_balancer_arn not in self._load_balancers:
            self._load_balancers[load_balancer_arn] = self._addresses.next()
        return self._load_balancers[load_balancer_arn]

    def listen(self, listener_arn: str, address: str, port: int, protocol: str) -> int:
        # A port below 1024 may need rights this process has not; then any free one serves.
        wanted = port if is_free(address, port) else 0
        self._routings[listener_arn] = Routing(())
        server = self._loop.wait(self._open(listener_arn, address, wanted, protocol))
        self._servers[listener_arn] = server
        return int(server.sockets[0].getsockname()[1])

    def route(self, listener_arn: str, routing: Routing) -> None:
        self._routings[listener_arn] = routing

    def close(self, listener_arn: str) -> None:
        self._loop.wait(self._shut(self._servers.pop(listener_arn)))

    def close_all(self) -> None:
        """Close every listener."""
        for listener_arn in list(self._servers):
            self.close(listener_arn)

    async def _open(
        self, listener_arn: str, address: str, port: int, protocol: str
    ) -> asyncio.Server:
        async def serve(reader: Reader, writer: Writer) -> None:
            with contextlib.suppress(OSError, EOFError, h11.ProtocolError, TimeoutError):
                if protocol == "TCP":
                    await self._carry_bytes(listener_arn, reader, writer)
                else:
                    await self._carry_requests(listener_arn, reader, writer)
            writer.close()

        return await asyncio.start_server(serve, address, port, backlog=1024)

    async def _shut(self, server: asyncio.Server) -> None:
        server.close()

    async def _carry_bytes(self, listener_arn: str, reader: Reader, writer: Writer) -> None:
        action = action_for(self._routings[listener_arn], "", "", {})
        target = self._turns.pick(action) if isinstance(action, Forward) else None
        if target is None:
            return
        back_reader, back_writer = await asyncio.open_connection(*target)
        await asyncio.gather(_pipe(reader, back_writer), _pipe(back_reader, writer))

    async def _carry_requests(self, listener_arn: str, reader: Reader, writer: Writer) -> None:
        client = Client(h11.Connection(h11.SERVER), reader, writer)
        while (request := await client.next_request()) is not None:
            await self._answer(listener_arn, client, request)
            if not client.next_cycle():
                return

    async def _answer(self, listener_arn: str, client: "Client", request: "Incoming") -> None:
        head = request.head
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        path = head.target.decode("latin-1")
        action = action_for(self._routings[listener_arn], head.method.decode(), path, headers)
        if isinstance(action, FixedResponse):
            return await client.reply(action, location_for(action, path, headers))
        target = self._turns.pick(action) if action is not None else None
        if target is None:
            return await client.reply(_UNAVAILABLE)
        await _forward(client, request, target)


@dataclass(frozen=True)
class Incoming:
    """One whole request of a client."""

    head: h11.Request
    body: bytes


class Client:
    """The side of a proxied connection that asks."""

    def __init__(self, connection: h11.Connection, reader: Reader, writer: Writer) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._peer = writer.get_extra_info("peername")[0]

    async def next_request(self) -> Incoming | None:
        """The next request with its body; None when the client has no more."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await self._read_request()
        except h11.RemoteProtocolError:
            await self.reply(_BAD_REQUEST)
            return None

    async def send(self, event: h11.Event) -> None:
        self._writer.write(self._connection.send(event) or b"")
        await self._writer.drain()

    async def reply(self, answer: FixedResponse, location: str = "") -> None:
        """Answer without a target."""
        body = answer.body.encode()
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(body)))]
        if location:
            headers.append(("Location", location))
        await self.send(h11.Response(status_code=answer.status, headers=headers))
        await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

    def next_cycle(self) -> bool:
        """Make ready for the next request; False if the connection has to end."""
        if self._connection.our_state is not h11.DONE:
            return False
        if self._connection.their_state is not h11.DONE:
            return False
        self._connection.start_next_cycle()
        return True

    def forwarded(self, request: Incoming) -> list[tuple[bytes, bytes]]:
        """The request's headers as a target sees them."""
        kept = [pair for pair in request.head.headers if pair[0] not in _HOP]
        framing = (b"transfer-encoding", b"content-length")
        sized = [pair for pair in kept if pair[0] not in framing]
        if len(sized) < len(kept):
            sized.append((b"content-length", str(len(request.body)).encode()))
        return [
            *sized,
            (b"x-forwarded-for", self._peer.encode()),
            (b"x-forwarded-proto", b"http"),
            (b"connection", b"close"),
        ]

    async def _read_request(self) -> Incoming | None:
        head, body = None, bytearray()
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return Incoming(head, bytes(body))
            else:
                return None

    async def _receive(self) -> None:
        if self._connection.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=100, headers=[]))
        self._connection.receive_data(await self._reader.read(READ_BYTES))


async def _forward(client: Client, request: Incoming, target: Address) -> None:
    """Ask the target on a connection of its own and stream its answer to the client."""
    started = False
    try:
        reader, writer = await asyncio.open_connection(*target)
        try:
            async for event in _events(client, request, reader, writer):
                await client.send(event)
                started = True
        finally:
            writer.close()
    except TimeoutError:
        if not started:
            await client.reply(_TIMED_OUT)
    except (OSError, EOFError, h11.RemoteProtocolError):
        if not started:
            await client.reply(_BAD_GATEWAY)


async def _events(
    client: Client, request: Incoming, reader: Reader, writer: Writer
) -> AsyncIterator[h11.Event]:
    """The parts of the target's answer, as they come."""
    connection = h11.Connection(h11.CLIENT)
    head = h11.Request(
        method=request.head.method, target=request.head.target, headers=client.forwarded(request)
    )
    for part in (head, h11.Data(data=request.body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(IDLE_SECONDS):
                connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Response):
            kept = [pair for pair in event.headers if pair[0] not in _HOP]
            yield h11.Response(status_code=event.status_code, reason=event.reason, headers=kept)
        elif isinstance(event, h11.Data):
            yield event
        elif isinstance(event, h11.EndOfMessage):
            yield event
            return
        elif isinstance(event, h11.ConnectionClosed):
            raise EOFError


async def _pipe(reader: Reader, writer: Writer) -> None:
    try:
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
