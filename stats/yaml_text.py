"""YAML from a stranger: plain data only, no aliases (a small file can unfold to a huge one), no key twice."""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import InputFileError, Problem

__all__ = ["load_yaml"]

_DEEPEST = 32


def load_yaml(content: bytes | bytearray, name: str) -> Any:
    """Parse YAML.

    Parameters
    ----------
    content : bytes, UTF-8
    name : str
        The file, for messages.

    Raises
    ------
    InputFileError
        For what is no YAML, with its line; for aliases, repeated keys and nesting deeper than 32.
    """
    try:
        return yaml.load(bytes(content).decode("utf-8-sig"), Loader=_PlainLoader)
    except UnicodeDecodeError as error:
        raise InputFileError(name, [Problem(f"is not UTF-8 text (byte {error.start:,})")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InputFileError(
            name, [Problem(f"cannot be read as YAML: {error.problem}", row=mark.line + 1 if mark else None)]
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputFileError(
            name, [Problem(f"cannot be read as YAML: {str(error).splitlines()[0]}")]
        ) from None


class _PlainLoader(yaml.SafeLoader):
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases are not allowed; write it out", problem_mark=event.start_mark
            )
        self._depth += 1
        if self._depth > _DEEPEST:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a name must be plain text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands here twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
