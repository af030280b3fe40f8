# Thin: everything is in dev.py.
.PHONY: run test check bench backup restore setup
run test check bench backup restore setup:
	@python3 dev.py $@
