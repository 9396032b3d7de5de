"""What in a new JSON Schema would refuse records that the old one takes, or miss fields that its readers use."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FIXED = ("pattern", "format")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """One line per breaking change, with the path of the field; empty when old records and readers go on working."""
    return [*_Comparison(old, new).changes(old, new, ""), *_new_kinds(old, new)]


def _new_kinds(old: Schema, new: Schema) -> list[str]:
    """Kinds of records that came to a topic with a version that readers of the former ones would take for theirs."""
    before = {kind.get("title"): kind for kind in _kinds(old)}
    known = max((_version(kind, "maximum") or 0 for kind in before.values()), default=0)
    return [
        f"/{kind.get('title')}: a new kind of record without a new version"
        for kind in _kinds(new)
        if len(_kinds(new)) > 1 and kind.get("title") not in before and (_version(kind, "minimum") or 0) <= known
    ]


def _kinds(schema: Schema) -> list[Schema]:
    return [_resolved(option, schema) for option in _options(schema) or [schema]]


def _version(kind: Schema, bound: str) -> int | None:
    found: int | None = kind.get("properties", {}).get("schema_version", {}).get(bound)
    return found


class _Comparison:
    """Two documents; `$ref` is followed in each, and a pair of definitions is looked at once."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def changes(self, old: Schema, new: Schema, path: str) -> list[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if pair[0] or pair[1]:
            if pair in self._seen and all(pair):
                return []
            self._seen.add(pair)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if _options(old) or _options(new):
            return self._alternatives(old, new, path)
        if narrowed := _types(old, new, path):
            return narrowed
        return [
            *_values(old, new, path),
            *_bounds(old, new, path),
            *self._fields(old, new, path),
            *self._parts(old, new, path),
        ]

    def _alternatives(self, old: Schema, new: Schema, path: str) -> list[str]:
        """Every old alternative needs a new one that takes all it took."""
        found: list[str] = []
        offered = _options(new) or [new]
        for alternative in _options(old) or [old]:
            results = [_Comparison(self._old, self._new).changes(alternative, other, path) for other in offered]
            if all(results):
                found += min(results, key=len)
        return found

    def _fields(self, old: Schema, new: Schema, path: str) -> list[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        found = [f"{path}/{name}: removed" for name in before if name not in after]
        newly = set(new.get("required", [])) - set(old.get("required", []))
        found += [f"{path}/{name}: newly required" for name in sorted(newly)]
        for name in before.keys() & after.keys():
            found += self.changes(before[name], after[name], f"{path}/{name}")
        return found

    def _parts(self, old: Schema, new: Schema, path: str) -> list[str]:
        found: list[str] = []
        for key in ("items", "additionalProperties"):
            before, after = old.get(key, True), new.get(key, True)
            if before is False or after is True:
                continue
            if after is False:
                found.append(f"{path}/{key}: no longer allowed")
            else:
                found += self.changes({} if before is True else before, after, f"{path}/{key}")
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        for i, part in enumerate(after):
            found += self.changes(before[i] if i < len(before) else {}, part, f"{path}/{i}")
        return found


def _options(schema: Schema) -> list[Schema]:
    """Its alternatives; none where it is one."""
    return [*schema.get("anyOf", []), *schema.get("oneOf", [])]


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema = {**document["$defs"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _types(old: Schema, new: Schema, path: str) -> list[str]:
    after = _type_set(new)
    if after is None:
        return []
    before = _type_set(old)
    if before is None:
        # A list of values tells its types.
        before = {_json_type(v) for v in values} if (values := _value_list(old)) is not None else None
    if before is None:
        return [f"{path}: type narrowed to {', '.join(sorted(after))}"]
    lost = {t for t in before if t not in after and not (t == "integer" and "number" in after)}
    return [f"{path}: type narrowed, no longer {', '.join(sorted(lost))}"] if lost else []


def _type_set(schema: Schema) -> set[str] | None:
    kind = schema.get("type")
    return None if kind is None else {kind} if isinstance(kind, str) else set(kind)


def _json_type(value: object) -> str:
    kinds: list[tuple[type, str]] = [(bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")]
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _value_list(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return None if values is None else list(values)


def _values(old: Schema, new: Schema, path: str) -> list[str]:
    after = _value_list(new)
    if after is None:
        return []
    before = _value_list(old)
    if before is None:
        return [f"{path}: values narrowed to a list"]
    lost = [v for v in before if v not in after]
    return [f"{path}: values removed: {', '.join(map(str, lost))}"] if lost else []


def _bounds(old: Schema, new: Schema, path: str) -> list[str]:
    raised = [key for key in LOWER_BOUNDS if key in new and (key not in old or new[key] > old[key])]
    lowered = [key for key in UPPER_BOUNDS if key in new and (key not in old or new[key] < old[key])]
    changed = [key for key in FIXED if key in new and new[key] != old.get(key)]
    return [
        *(f"{path}: {key} raised" for key in raised),
        *(f"{path}: {key} lowered" for key in lowered),
        *(f"{path}: {key} changed" for key in changed),
    ]
