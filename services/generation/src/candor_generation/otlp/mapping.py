"""From attributes to the fields of a `RecordRequest`.

Names of products, providers and models are bent into the patterns of the schema (`Chat App` becomes `chat-app`); a
subject never is, because erasing a person must find the very same name. Every mapping is a function of the value alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from candor.generation.v1 import model_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor_kit import validation
from candor_kit.errors import Refusal
from google.protobuf.timestamp_pb2 import Timestamp

from candor_generation.otlp.messages import Exchange
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.values import Attributes, text_of

SUBJECTS = (
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "gen_ai.user",
    "llm.user",
    "session.id",
    "langfuse.session.id",
)
LOCALES = ("user.locale", "enduser.locale", "browser.language")
UNKNOWN_PROVIDER = "unknown"

_SUBJECT = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_MODELS = ("gen_ai.response.model", "gen_ai.request.model", "llm.response.model", "llm.model_name", "llm.request.model")
_MODALITIES = {
    "image": model_pb2.MODALITY_IMAGE,
    "speech": model_pb2.MODALITY_AUDIO,
    "audio": model_pb2.MODALITY_AUDIO,
    "video": model_pb2.MODALITY_VIDEO,
}
_NANOS = 1_000_000_000


@dataclass(frozen=True)
class Names:
    """Where a deployment's backends put what the conventions have no place for.

    Attributes:
        subjects: attributes that may name the subject, the first that is there counts.
        locales: attributes that may name the locale of the user.
        locale: the locale where none is told; "und" is BCP 47's undetermined.
    """

    subjects: Sequence[str] = SUBJECTS
    locales: Sequence[str] = LOCALES
    locale: str = "und"


@dataclass(frozen=True)
class Told:
    """What is told of a call: the attributes of its span, its events, their scopes and resources, in that order."""

    layers: tuple[Attributes, ...]

    def first(self, names: Sequence[str]) -> tuple[str, str]:
        """Return the first of `names` that has a value in any layer, and the value; ("", "") when none has."""
        for name in names:
            for layer in self.layers:
                value = layer.get(name)
                if isinstance(value, (str, int)) and not isinstance(value, bool) and text_of(value).strip():
                    return name, text_of(value).strip()
        return "", ""


def request_of(identifier: str, nanos: int, told: Told, exchange: Exchange, names: Names) -> RecordRequest:
    """Make the command that records an exchange.

    Args:
        identifier: the generation id.
        nanos: when the generation began, nanoseconds since 1970.
        told: where the fields are found.
        exchange: what was asked and answered.
        names: this deployment's names.

    Raises:
        Unusable: NO_OUTPUT, NO_SUBJECT, NO_MODEL, NO_PRODUCT, INVALID_FIELD naming the fields.
    """
    if not exchange.answered:
        raise Unusable(Why.NO_OUTPUT, "the output is empty")
    request = RecordRequest(
        command_id=identifier,
        subject=_subject(told, names),
        occurred_at=Timestamp(seconds=nanos // _NANOS, nanos=nanos % _NANOS),
        provider=_provider(told),
        model=_model(told),
        product=_product(told),
        locale=_locale(told, names),
        modality=_modality(told, exchange),
        prompt=_storable("prompt", exchange.prompt),
        output=_storable("output", exchange.output),
    )
    try:
        validation.check(request)
    except Refusal as refusal:
        raise Unusable(Why.INVALID_FIELD, refusal.message) from refusal
    return request


def _subject(told: Told, names: Names) -> str:
    name, value = told.first(names.subjects)
    if not value:
        raise Unusable(
            Why.NO_SUBJECT, f"no subject; set one of {', '.join(names.subjects)} on the span or the resource"
        )
    if not _SUBJECT.fullmatch(value):
        raise Unusable(
            Why.INVALID_FIELD,
            f"subject: {name} must be an opaque account id of 1 to 128 characters of A-Z a-z 0-9 _ . : -,"
            " not an e-mail address, a phone number or a name",
        )
    return value


def _provider(told: Told) -> str:
    _name, value = told.first(_PROVIDERS)
    return _bent(value, r"[^A-Za-z0-9._/-]+", 128) or UNKNOWN_PROVIDER


def _model(told: Told) -> str:
    name, value = told.first(_MODELS)
    if not value:
        raise Unusable(Why.NO_MODEL, f"no model; set one of {', '.join(_MODELS)}")
    model = _bent(value, r"[^A-Za-z0-9._:/-]+", 128)
    if not model:
        raise Unusable(Why.INVALID_FIELD, f"model: {name} has no letter of A-Z and no digit")
    return model


def _product(told: Told) -> str:
    name, value = told.first(("service.name",))
    if not value:
        raise Unusable(Why.NO_PRODUCT, "the resource has no service.name, which names the product")
    product = _bent(value.lower(), r"[^a-z0-9._-]+", 64)
    if not product:
        raise Unusable(Why.INVALID_FIELD, f"product: {name} has no letter of A-Z and no digit")
    return product


def _locale(told: Told, names: Names) -> str:
    """The locale as BCP 47 writes it: `zh_CN.UTF-8` becomes `zh-CN`. One that is none counts as not told."""
    _name, value = told.first(names.locales)
    language, *rest = re.split(r"[.@,;]", value, maxsplit=1)[0].strip().replace("_", "-").split("-")
    locale = "-".join([language.lower(), *rest])
    return locale if _LOCALE.fullmatch(locale) else names.locale


def _modality(told: Told, exchange: Exchange) -> model_pb2.Modality.ValueType:
    _name, value = told.first(("gen_ai.output.type",))
    if value.lower() in _MODALITIES:
        return _MODALITIES[value.lower()]
    kinds = (part.kind for message in exchange.outputs for part in message.parts)
    return next((_MODALITIES[kind] for kind in kinds if kind in _MODALITIES), model_pb2.MODALITY_TEXT)


def _bent(value: str, unwanted: str, longest: int) -> str:
    """Turn every run of unwanted characters into a hyphen; begin with a letter or a digit; cut to the length."""
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(unwanted, "-", value))[:longest].rstrip("-")


def _storable(field: str, text: str) -> str:
    """JSON can write half a character (RFC 8259, 8.2), which is no text: refused, as every edge refuses it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unusable(Why.INVALID_FIELD, f"{field}: holds a lone surrogate, which is no character") from error
    return text
