"""What commands and pages show, as frozen values with their JSON.

A shape is a value whose fields are the keys, in their order: texts, numbers, times, StrEnums and other shapes.
Commands write `asdict` of it and the API its `TypeAdapter`, so both say the same; times are written as each of them
does. Where commands name things otherwise than the API, `as_json` says how.
"""
