"""The command that checks a certificate of an agreement."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from operations.cli.settings import find_environ

if TYPE_CHECKING:
    from services.membership.certificate import Certificate, Keys
    from shared.kernel.chain import Finding


def verify(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="The certificate; - for standard input.")],
    keys: Annotated[
        typer.FileText | None,
        typer.Option(encoding="utf-8", errors="replace", help="Public keys to trust: a JWK set, or PEM."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a certificate offline; the status is 0 if it is valid, 1 if not."""
    from services.membership.certificate import check, opened  # noqa: PLC0415

    document = file.read()
    findings, certificate = check(document, _trusted(keys)), opened(document)
    typer.echo(_as_json(certificate, findings) if as_json else _as_text(certificate, findings))
    raise typer.Exit(1 if findings else 0)


def _trusted(given: typer.FileText | None) -> "Keys":
    """Read the given keys, or those of the configured system."""
    from services.membership.certificate import Keyring, read_keys  # noqa: PLC0415
    from services.membership.settings import MembershipSettings  # noqa: PLC0415
    from shared.runtime.settings import SettingsMissing, read_settings  # noqa: PLC0415

    if given:
        return read_keys(given.read())
    try:
        settings = read_settings(MembershipSettings, find_environ())
    except SettingsMissing as missing:
        raise SettingsMissing(f"{missing}; or name the keys to trust with --keys") from missing
    return Keyring.of(settings.certificate_key, settings.certificate_retired_keys).trusted


def _as_json(certificate: "Certificate | None", findings: "list[Finding]") -> str:
    said = {
        "valid": not findings,
        "agreement_id": certificate.agreement_id if certificate else None,
        "steps": len(certificate.steps) if certificate else 0,
        "head": certificate.head if certificate else None,
        "key_id": certificate.key_id if certificate else None,
        "findings": findings,
    }
    return msgspec.json.encode(said).decode()


def _as_text(certificate: "Certificate | None", findings: "list[Finding]") -> str:
    lines = []
    if certificate:
        first, last = certificate.steps[0], certificate.steps[-1]
        lines = [
            f"agreement {certificate.agreement_id}: {len(certificate.steps)} steps from {first.at} to {last.at}",
            f"key {certificate.key_id}",
        ]
    if findings:
        lines += ["NOT VALID", *(f"{finding.code}: {finding.message}" for finding in findings)]
    else:
        lines.append("valid: every step, their order, the text and the signature are as they were signed")
    # The file is untrusted: it must not send control characters to this terminal.
    return "\n".join(
        "".join(character if character.isprintable() else "\ufffd" for character in line) for line in lines
    )
