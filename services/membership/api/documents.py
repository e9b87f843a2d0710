"""HTTP routes for agreements and certificates as PDF."""

import asyncio
from datetime import datetime
from functools import partial

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from services.membership.api.certificates import certified
from services.membership.api.rights import must_see_agreement
from services.membership.certificate import Keyring
from services.membership.documents import agreement_pdf, certificate_pdf
from services.membership.documents.in_words import agreement_document, certificate_document
from services.membership.records import Agreements
from shared.store.mongo import Database
from shared.store.rows import history
from shared.web.requests import Asked


def document_routes(agreements: Agreements, database: Database, keyring: Keyring) -> list[ControllerRouterHandler]:
    """The routes for documents."""

    @get("/agreements/{id:str}/document", media_type="application/pdf")
    async def document(request: Asked, id: FromPath[str]) -> Response[bytes]:
        """Get an agreement as PDF: its text, its signatures, and lines for the missing ones."""
        agreement = await agreements.guarded(partial(must_see_agreement, request.user)).get(id)
        last: datetime = (await history(database, id))[-1]["at"]
        # Typesetting takes some 20 ms; other requests go on meanwhile.
        return _pdf(await asyncio.to_thread(agreement_pdf, agreement_document(agreement, last)), id)

    @get("/agreements/{id:str}/certificate/document", media_type="application/pdf")
    async def certificate_as_document(request: Asked, id: FromPath[str]) -> Response[bytes]:
        """Get the certificate of an agreement as PDF, for people; the file to check is the JSON one."""
        seen = agreements.guarded(partial(must_see_agreement, request.user))
        agreement, made = await certified(seen, database, keyring, id)
        printed = certificate_document(agreement, msgspec.to_builtins(made.steps), made.key_id, made.signature)
        return _pdf(await asyncio.to_thread(certificate_pdf, printed), f"{id}.certificate")

    return [document, certificate_as_document]


def _pdf(content: bytes, name: str) -> Response[bytes]:
    named = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=named)
