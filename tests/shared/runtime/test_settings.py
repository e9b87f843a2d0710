from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from operations.services import create_services
from operations.settings import OperatorSettings
from services.membership.settings import MembershipSettings
from services.notifications.settings import NotificationsSettings
from shared.kernel.clock import berlin_day, system_clock
from shared.runtime.settings import Settings, SettingsMissing, read_settings

NEEDED = {
    "ASSKOMM_MONGO_URI": "mongodb://membership:geheim-1@mongo/",
    "ASSKOMM_NATS_URL": "nats://membership:geheim-2@nats:4222",
    "ASSKOMM_TOKEN_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----",
}
SECRET = {
    "ASSKOMM_TOKEN_PRIVATE_KEY": "geheim-3",
    "ASSKOMM_SMTP_PASSWORD": "geheim-4",
    "ASSKOMM_CERTIFICATE_KEY": "geheim-6",
}
KINDS = [Settings, MembershipSettings, NotificationsSettings, OperatorSettings]


def test_settings_come_from_the_environment() -> None:
    settings = read_settings(
        NotificationsSettings, NEEDED | {"ASSKOMM_SMTP_PORT": "587", "ASSKOMM_AS_OF": "2023-01-27"}
    )
    assert (settings.smtp_port, settings.as_of) == (587, date(2023, 1, 27))
    assert settings.mongo_uri == NEEDED["ASSKOMM_MONGO_URI"]


def test_what_is_not_set_has_its_default() -> None:
    only_needed = read_settings(NotificationsSettings, NEEDED)
    assert (only_needed.smtp_security, only_needed.as_of) == ("starttls", None)


def test_an_empty_setting_counts_as_not_set() -> None:
    assert read_settings(
        NotificationsSettings, NEEDED | {"ASSKOMM_SMTP_PORT": "", "ASSKOMM_AS_OF": ""}
    ) == read_settings(NotificationsSettings, NEEDED)


def test_every_setting_can_be_given_as_a_file(folder: Path) -> None:
    (folder / "password").write_text("pässwort\n", encoding="utf-8")
    settings = read_settings(NotificationsSettings, NEEDED | {"ASSKOMM_SMTP_PASSWORD_FILE": str(folder / "password")})
    assert settings.smtp_password == "pässwort"


# As the keys of certificates that were replaced: none at first.
def test_an_empty_file_is_an_empty_setting(folder: Path) -> None:
    (folder / "keys").touch()
    settings = read_settings(
        MembershipSettings, NEEDED | {"ASSKOMM_CERTIFICATE_RETIRED_KEYS_FILE": str(folder / "keys")}
    )
    assert settings.certificate_retired_keys == ""


def test_a_file_wins_over_the_environment(folder: Path) -> None:
    (folder / "port").write_text("2525")
    settings = read_settings(
        NotificationsSettings, NEEDED | {"ASSKOMM_SMTP_PORT": "25", "ASSKOMM_SMTP_PORT_FILE": str(folder / "port")}
    )
    assert settings.smtp_port == 2525


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsMissing) as refused:
        read_settings(NotificationsSettings, {})
    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == list(NEEDED)


def test_all_that_is_wrong_is_named_with_what_is_missing() -> None:
    wrong = {"ASSKOMM_SMTP_PORT": "smtp", "ASSKOMM_AS_OF": "27.01.2023", "ASSKOMM_SMTP_SECURITY": "maybe"}
    with pytest.raises(SettingsMissing) as refused:
        read_settings(NotificationsSettings, wrong)
    assert {line.split(" ")[0] for line in str(refused.value).splitlines()} == {*NEEDED, *wrong}


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(SettingsMissing, match=r"ASSKOMM_SMTP_PASSWORD .*nowhere"):
        read_settings(NotificationsSettings, NEEDED | {"ASSKOMM_SMTP_PASSWORD_FILE": str(folder / "nowhere")})


# A bug once: a UnicodeDecodeError passes by, which names no setting.
def test_a_file_that_is_no_text_is_named(folder: Path) -> None:
    (folder / "key").write_bytes(b"\x00\xff\xfe")
    with pytest.raises(SettingsMissing, match="ASSKOMM_TOKEN_PRIVATE_KEY"):
        read_settings(OperatorSettings, NEEDED | {"ASSKOMM_TOKEN_PRIVATE_KEY_FILE": str(folder / "key")})


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_shown(kind: type[Settings]) -> None:
    assert "geheim" not in repr(read_settings(kind, NEEDED | SECRET))


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_shown_when_something_is_wrong(kind: type[Settings]) -> None:
    with pytest.raises(SettingsMissing) as refused:
        read_settings(kind, NEEDED | SECRET | {"ASSKOMM_AS_OF": "geheim-5"})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_service_has_the_settings_that_all_have(kind: type[Settings]) -> None:
    settings = read_settings(kind, NEEDED | {"ASSKOMM_LOG_LEVEL": "debug"})
    assert (type(settings), settings.nats_url, settings.log_level) == (kind, NEEDED["ASSKOMM_NATS_URL"], "debug")


def test_a_service_knows_no_secret_of_another() -> None:
    assert not {field.name for field in fields(MembershipSettings)} & {"smtp_password", "token_private_key"}
    assert not {field.name for field in fields(NotificationsSettings)} & {"certificate_key", "token_private_key"}


def test_all_that_any_service_lacks_is_named_at_once() -> None:
    with pytest.raises(SettingsMissing) as refused:
        create_services({"ASSKOMM_SMTP_PORT": "smtp"})
    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == [*NEEDED, "ASSKOMM_SMTP_PORT"]


def test_the_clock_is_the_real_one_unless_a_day_is_set() -> None:
    assert read_settings(NotificationsSettings, NEEDED).clock is system_clock


def test_the_clock_runs_as_of_the_day_that_is_set() -> None:
    settings = read_settings(NotificationsSettings, NEEDED | {"ASSKOMM_AS_OF": "2023-01-27"})
    assert berlin_day(settings.clock()) == date(2023, 1, 27)
