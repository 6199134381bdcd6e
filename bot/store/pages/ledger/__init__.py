"""Where fixes are stuck, as the ledger's pages and commands show it.

`ledger` puts it together for the fleet, `of_image` for one image. Both read what is exposed to a CVE (`exposed`),
what held it and when (`histories`, `shown_since`, `shown_again`), what lies below images (`below`) and which
builds manifests pin (`pinned`). `entries` works out the clocks of each image from that, without another
statement; `fixes_below` does so once for all images that stand alike. `cves_of_moves` tells the CVEs of moves of
bases, by what `told_platforms` reads of each platform; `gaps` says what cannot be told, `rebuild_time` how long
rebuilds took.
"""
