"""The commands of `qtic`, a module a family. They import what they run inside the functions, so that `--help` is quick."""
