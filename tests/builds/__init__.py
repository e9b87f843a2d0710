"""Programs that exist for tests alone: the real command line with one more service, or broken on purpose."""
