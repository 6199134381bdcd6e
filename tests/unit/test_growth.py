from tests.growth import LINEAR, growth


def test_what_grows_with_the_square_is_told_from_what_does_not() -> None:
    def square(size: int) -> None:
        for _ in range(size):
            sum(range(size * 4))

    assert growth(square, 250) > LINEAR
    assert growth(lambda size: sum(range(size)), 100_000) < LINEAR
