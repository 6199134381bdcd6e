"""Dockerfiles for property tests: mostly plausible, with the quirks of real ones and some nonsense."""

from hypothesis import strategies as st

DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGES = (
    "alpine",
    "node:20",
    "mcr.microsoft.com/dotnet/sdk:10.0",
    "mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled",
    f"localhost:5000/team/app:1.2@{DIGEST}",
    f"busybox@{DIGEST}",
    "scratch",
    "build",
    "final",
    "0",
    "$BASE",
    "${BASE}",
    "${BASE:-node:18}",
    "node:${TAG}",
    "node:${TAG}-alpine",
    "${REGISTRY}/dotnet/aspnet:$TAG",
    "${REGISTRY:+$REGISTRY/}app:${TAG%.*}",
    "app:${TAG#v}${SUFFIX-}",
    "app:${TAG/0/1}",
    "app:${TAG//./-}",
    '"node:$TAG"',
    "'node:$TAG'",
    "base-$TARGETARCH",
    "${MISSING?say it}",
    "${",
    "",
)
NAMES = ("BASE", "TAG", "REGISTRY", "SUFFIX", "TARGETARCH")
VALUES = (
    "",
    "10.0",
    '"10.0"',
    "'1.2.3'",
    "node:18",
    "mcr.microsoft.com",
    "$TAG",
    "${TAG}-noble",
    f"20@{DIGEST}",
    "$BASE$BASE",
    '"two words"',
)
BLANKS = (" ", "  ", "\t", " \\\n", " \\\n  # note\n", "\\\n", " \\  \n\n ")
ENDINGS = ("\n", "\r\n", "\n\n", "\n# comment\n", "\n  # comment\r\n")

_image = st.sampled_from(IMAGES)
_blank = st.sampled_from(BLANKS) | st.just(" ")
_stage = st.sampled_from(["build", "Final", "base-amd64", "x"])


@st.composite
def _from(draw: st.DrawFn) -> str:
    blank = draw(_blank)
    platform = draw(st.sampled_from(["", "", "--platform=linux/arm64 ", "--platform=$BUILDPLATFORM "]))
    name = draw(st.just("") | _stage.map(lambda stage: f" AS {stage}"))
    return f"{draw(st.sampled_from(['FROM', 'from', 'From']))}{blank}{platform}{draw(_image)}{name}"


@st.composite
def _arg(draw: st.DrawFn) -> str:
    declared = draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.sampled_from(VALUES)), min_size=1, max_size=3)
    )
    words = (name if value is None else f"{name}={value}" for name, value in declared)
    return "ARG" + draw(_blank) + draw(_blank).join(words)


@st.composite
def _copy(draw: st.DrawFn) -> str:
    flags = draw(st.sampled_from(["", "--link ", "--chown=1:1 ", '--chmod="7 7" ']))
    keyword = draw(st.sampled_from(["COPY", "ADD", "ONBUILD COPY"]))
    return f"{keyword} {flags}--from={draw(_image)}{draw(_blank)}/a /b"


@st.composite
def _run(draw: st.DrawFn) -> str:
    mounts = draw(st.lists(_image.map(lambda image: f"--mount=type=bind,from={image},target=/x"), max_size=2))
    command = draw(st.sampled_from(["true", 'echo "it"', "echo 'x", '["a", "b"]', "a && \\\n  b", "FROM x"]))
    return "RUN " + draw(_blank).join([*mounts, command])


_heredoc = st.sampled_from(
    [
        "RUN <<EOF\nFROM inner\nEOF",
        "RUN <<-EOF\n\tFROM inner\n\tEOF",
        'COPY <<"EOF" /x\nFROM inner\nEOF',
        "RUN cat <<A <<B\n1\nA\n2\nB",
        "RUN <<EOF",
        'RUN ["<<EOF"]',
        'RUN echo "<<EOF"',
        "RUN echo ${x:-<<EOF}\nEOF",
        "RUN cat <<EOF ${x^}\nEOF",
        "ONBUILD RUN <<EOF\nx\nEOF",
        "ENV A=<<EOF",
    ]
)
_other = st.sampled_from(
    ["ENV A=b \\\n  C=d", "USER app", "  WORKDIR /x", "\tEXPOSE 80", "LABEL a='b c'", "ENV P C:\\\\", "nonsense"]
)
_head = st.sampled_from(
    ["", "", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "\ufeff", "#!/bin/sh\n# syntax = a:b\n", "# x\n"]
)
_line = st.one_of(_from(), _from(), _arg(), _copy(), _run(), _heredoc, _other)


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    lines = draw(st.lists(st.tuples(_line, st.sampled_from(ENDINGS)), max_size=8))
    text = draw(_head) + "".join(line + ending for line, ending in lines)
    return text if draw(st.booleans()) else text.rstrip("\r\n")
