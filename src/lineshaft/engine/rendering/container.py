"""Images and services with their templates evaluated."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from lineshaft.engine.rendering.text import rendered_text, rendered_texts
from lineshaft.expression import Scope
from lineshaft.model.errors import ExpressionError
from lineshaft.model.image import Image, ImageBuild
from lineshaft.model.image_name import why_no_image_name
from lineshaft.model.service import Readiness, Service

_SHOWN: Final = 200


def rendered_image(image: Image, scope: Scope) -> Image:
    """Evaluate the templates of an image.

    Raises:
        ExpressionError: one of them cannot be evaluated, or what comes of it is no name of an image.
    """
    match image:
        case str():
            return _name(rendered_text(image, scope))
        case ImageBuild():
            return ImageBuild(
                dockerfile=rendered_text(image.dockerfile, scope),
                context=rendered_text(image.context, scope),
                target=None if image.target is None else rendered_text(image.target, scope),
                args=_values(image.args, scope),
                cache=None if image.cache is None else rendered_text(image.cache, scope),
            )
        case _:
            assert_never(image)


def _name(text: str) -> str:
    if (demand := why_no_image_name(text)) is not None:
        raise ExpressionError(f"The image {text[:_SHOWN]!r} must be {demand}.")
    return text


def rendered_service(service: Service, scope: Scope) -> Service:
    """Evaluate the templates of a service; a readiness's regular expression is taken as it is.

    Raises:
        ExpressionError: one of them cannot be evaluated.
    """
    return replace(
        service,
        image=rendered_image(service.image, scope),
        command=None if service.command is None else rendered_texts(service.command, scope),
        env=_values(service.env, scope),
        ready=None if service.ready is None else _readiness(service.ready, scope),
    )


def _readiness(ready: Readiness, scope: Scope) -> Readiness:
    return ready if ready.command is None else replace(ready, command=rendered_texts(ready.command, scope))


def _values(texts: Mapping[str, str], scope: Scope) -> dict[str, str]:
    return {name: rendered_text(text, scope) for name, text in texts.items()}
