"""The HTTP API: check the token, run a transaction, answer."""

import logging

import jwt
import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.types import ControllerRouterHandler

from benchmarks.rival.store import Document, JarSealedError, Store

AUDIENCE = "asskomm-services"

log = logging.getLogger(__name__)


class Filling(msgspec.Struct, forbid_unknown_fields=True):
    """A request body."""

    amount: int


class Jar(msgspec.Struct):
    """A response body."""

    id: str
    label: str
    content: int
    version: int


def routes(store: Store, public_key: str) -> list[ControllerRouterHandler]:
    """Routes to `POST` and `GET` a jar, open to everyone with one of our tokens."""

    @post("/jars/{jar:str}/fillings")
    async def fill(request: Request[None, None, State], jar: str, data: Filling) -> Response[Jar | str]:
        who = _actor(request, public_key)
        try:
            filled = await store.fill(jar, data.amount)
        except JarSealedError:
            return Response(f"jar {jar} is sealed", status_code=409)
        log.info("jar filled jar=%s amount=%s actor=%s", jar, data.amount, who)
        return Response(_jar(filled), status_code=201, headers={"location": f"/jars/{jar}"})

    @get("/jars/{jar:str}")
    async def read(request: Request[None, None, State], jar: str) -> Jar:
        _actor(request, public_key)
        if (found := await store.jars.find_one({"_id": jar})) is None:
            raise NotFoundException(f"there is no jar {jar}")
        return _jar(found)

    return [fill, read]


def _actor(request: Request[None, None, State], public_key: str) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        return str(jwt.decode(token, public_key, algorithms=["EdDSA"], audience=AUDIENCE)["sub"])
    except jwt.InvalidTokenError as error:
        raise NotAuthorizedException(str(error)) from error


def _jar(document: Document) -> Jar:
    return Jar(document["_id"], document["label"], document["content"], document["version"])
