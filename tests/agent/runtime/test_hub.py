import asyncio

from agent.runtime.hub import Hub


def test_every_reader_gets_what_comes_after_it_subscribed() -> None:
    async def scene() -> None:
        hub = Hub()
        hub.publish("a", 0)
        with hub.subscribe("a") as one, hub.subscribe("a") as two, hub.subscribe("b") as other:
            hub.publish("a", 1)
            hub.publish("b", 2)
            assert await one.get() == 1
            assert await two.get() == 1
            assert await other.get() == 2
            assert hub.wanted("a")
        assert not hub.wanted("a")

    asyncio.run(scene())


def test_a_slow_reader_loses_its_own_oldest_and_is_told_how_many() -> None:
    async def scene() -> None:
        hub = Hub()
        with hub.subscribe("a", size=3) as slow, hub.subscribe("a", size=100) as quick:
            for number in range(10):
                hub.publish("a", number)
            assert [await slow.get() for _ in range(3)] == [7, 8, 9]
            assert slow.take_missed() == 7
            assert slow.take_missed() == 0
            assert [await quick.get() for _ in range(10)] == list(range(10))
            assert quick.take_missed() == 0

    asyncio.run(scene())
