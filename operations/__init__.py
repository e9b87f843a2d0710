"""Tools for operators: the command line, the embedded servers, the demo and the set-up."""
