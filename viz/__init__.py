"""Pictures and pages of results that ``stats`` and ``zoo`` computed; computes no statistic of its own."""
