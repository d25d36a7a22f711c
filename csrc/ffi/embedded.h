/* The Lua sources and the seam's header, compiled into the executables by cmake/embed.cmake. */
#pragma once
#include <stddef.h>

struct embedded_file {
    const char *name; /* a module's name, or "perigee.h"; NULL ends the table */
    const char *text;
    size_t size;
};
extern const struct embedded_file embedded_files[];
