"""What chat templates are compiled to: jinja2's code with every costly bare operation sent through the environment."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.parser import Parser


class GuardedCode(CodeGenerator):
    """Sends what jinja2 compiles to bare Python operations through the environment's meter."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for arg in node.nodes:
            self.visit(arg, frame)
            self.write(", ")
        self.write("))")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.made(")
        super().visit_Getitem(node, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.made(")
        super().visit_Tuple(node, frame)
        self.write(")")


class Generation(Extension):
    """`{% generation %}` marks the answer for training; for rendering it is only a scope."""

    tags = {"generation"}  # noqa: RUF012 - declared so by jinja2

    def parse(self, parser: Parser) -> nodes.Node:
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=lineno)


def instrument(tree: nodes.Node) -> None:
    """Put a report at the beginning of each loop's body and one behind each loop."""
    for loop in list(tree.find_all(nodes.For)):
        target = loop.target
        item = nodes.Name(target.name, "load") if isinstance(target, nodes.Name) else nodes.Const(None)
        loop.body.insert(0, _report("loop_item", [item]))
    for node in [tree, *tree.find_all(nodes.Node)]:
        for field in ("body", "else_"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, list(_with_loop_ends(statements)))


def _with_loop_ends(statements: list[nodes.Node]) -> Iterable[nodes.Node]:
    for statement in statements:
        yield statement
        if isinstance(statement, nodes.For):
            yield _report("loop_end", [])


def _report(name: str, arguments: list[nodes.Expr]) -> nodes.Node:
    call = nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)
    return nodes.ExprStmt(call).set_lineno(1)
