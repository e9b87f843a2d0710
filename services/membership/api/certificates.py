"""HTTP routes for certificates of agreements and the keys to check them with."""

from functools import partial
from typing import Any

from litestar import MediaType, Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from services.membership.api.rights import must_see_agreement
from services.membership.certificate import Certificate, ChainBroken, Keyring, certificate
from services.membership.domain.agreement import Agreement
from services.membership.domain.term import NotInForce
from services.membership.records import Agreements
from shared.store.mongo import Database
from shared.store.rows import history
from shared.web.requests import Asked


def certificate_routes(agreements: Agreements, database: Database, keyring: Keyring) -> list[ControllerRouterHandler]:
    """The routes for certificates."""

    @get("/agreements/{id:str}/certificate", media_type=MediaType.JSON)
    async def agreement_certificate(request: Asked, id: FromPath[str]) -> Response[bytes]:
        """Get the certificate of an agreement that is or was in force: all its events, signed, as a file to keep."""
        seen = agreements.guarded(partial(must_see_agreement, request.user))
        _, made = await certified(seen, database, keyring, id)
        named = {"Content-Disposition": f'attachment; filename="{id}.certificate.json"'}
        return Response(made.encoded(), media_type=MediaType.JSON, headers=named)

    @get("/certificate-keys")
    async def certificate_keys() -> dict[str, Any]:
        """Get the public keys of all certificates as JWK set (RFC 7517), the current one first."""
        return keyring.jwk_set()

    return [agreement_certificate, certificate_keys]


async def certified(
    agreements: Agreements, database: Database, keyring: Keyring, id: str
) -> tuple[Agreement, Certificate]:
    """An agreement and its certificate; raises NotFound, NotInForce, NoCertificateKey, ChainBroken."""
    document = await agreements.load(id)
    agreement = agreements.permitted(document)
    if agreement.in_force_since is None:
        raise NotInForce(f"agreement {id} is {agreement.stage}; it has a certificate from the last signature on")
    rows = await history(database, id)
    # The rows are read after the document, so there may be more than it knows of, but not fewer.
    if document["chain"] not in {row["hash"] for row in rows}:
        raise ChainBroken(f"no certificate of {id}: its last step, with hash {document['chain']}, is missing")
    return agreement, certificate(rows, keyring)
