"""`make bench`."""

import asyncio

from benchmarks.turn import main

asyncio.run(main())
