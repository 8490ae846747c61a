"""python -m tests.faults.daemon CONFIG [POINT SIGNAL MARK]; its worker processes import this file as well."""

if __name__ == "__main__":
    import sys

    from tests.faults.launching import launch

    launch(*sys.argv[1:])
