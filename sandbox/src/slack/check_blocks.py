"""Reads a list of messages and views from standard input, and writes what slack_sdk's own models say against them."""

import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View


def methods(model):
    """The validators of a model; calling them one by one tells of all that is wrong, not of the first."""
    for name in dir(model):
        method = getattr(model, name, None) if not name.startswith("__") else None
        if callable(method) and hasattr(method, "validator"):
            yield method


def judged(model, place):
    """The models hold others, and a model's validators look at its own fields only."""
    if isinstance(model, (list, tuple)):
        for index, inner in enumerate(model):
            yield from judged(inner, f"{place}/{index}")
    elif isinstance(model, JsonObject):
        for method in methods(model):
            try:
                method()
            except SlackObjectFormationError as error:
                yield f"{place}: {error}"
        for name, inner in vars(model).items():
            yield from judged(inner, f"{place}/{name.lstrip('_')}")


def dropped(given, taken, place):
    """What the models do not know they leave out."""
    if isinstance(given, dict) and isinstance(taken, dict):
        for key, value in given.items():
            if key in taken:
                yield from dropped(value, taken[key], f"{place}/{key}")
            elif value not in ("", [], {}, None):
                yield f"{place}: {key} is not known"
            elif key in ("text", "elements", "blocks", "options", "fields"):
                yield f"{place}: {key} is empty"
    elif isinstance(given, list) and isinstance(taken, list):
        if len(given) != len(taken):
            yield f"{place}: {len(given) - len(taken)} items are not known"
        for index, pair in enumerate(zip(given, taken)):
            yield from dropped(*pair, f"{place}/{index}")
    elif given != taken:
        yield f"{place}: {given!r} is taken for {taken!r}"


def parsed(given, parse, place):
    try:
        model = parse(given)
    except (TypeError, KeyError, ValueError, AttributeError, SlackObjectFormationError) as error:
        return [f"{place}: {error}"]
    if model is None:
        return [f"{place}: unknown type {given.get('type')!r}"]
    complaints = list(judged(model, place))
    try:
        complaints += dropped(given, model.to_dict(), place)
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        complaints += [] if complaints else [f"{place}: {error}"]
    return complaints


def check(given, place):
    if given.get("type") in ("modal", "home"):
        whole = {key: value for key, value in given.items() if key != "blocks"}
        count = {"blocks": [{"type": "divider"}] * len(given.get("blocks", []))}
        yield from parsed({**whole, **count}, lambda view: View(**view), place)
    for index, block in enumerate(given.get("blocks", [])):
        yield from parsed(block, Block.parse, f"{place}/blocks/{index}")


complaints = []
for number, one in enumerate(json.load(sys.stdin)):
    complaints += check(one, str(number))
print(json.dumps(list(dict.fromkeys(complaints))))
