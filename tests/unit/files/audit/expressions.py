"""Expressions of GitHub, over contexts that hold texts, booleans and literals."""

from hypothesis import strategies as st

_CONTEXTS = ("env.A", "env.B", "inputs.c", "matrix.d", "'false'", "'true'", "'x'", "true", "false")


def expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(_CONTEXTS),
        lambda inner: st.one_of(
            inner.map(lambda each: f"!{each}" if each[0] != "!" and " " not in each else f"!({each})"),
            st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(
                lambda each: f"({each[0]}) {each[1]} ({each[2]})"
            ),
            inner.map(lambda each: f"format('{{0}}', {each})"),
            inner.map(lambda each: f"contains('true', {each})"),
        ),
        max_leaves=6,
    )
