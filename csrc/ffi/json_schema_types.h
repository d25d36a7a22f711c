/*
 * What a description becomes when it is compiled, shared by the files of the codec. All of it lives
 * in userdata of the Lua state that compiled it; a schema's environment table holds what its
 * pointers name, among them the strings.
 */
#pragma once
#include "base/slice.h"
#include "wire/json_writer.h"
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEMA_DEPTH = 16,
    SCHEMA_DOCUMENT_BYTES = 256 << 20,
    SCHEMA_MESSAGE_BYTES = 512,
    SCHEMA_TCDATA = 10, /* what lua_type() says of LuaJIT's cdata */
};

enum schema_kind {
    SCHEMA_STRING,
    SCHEMA_BOOL,
    SCHEMA_INT,
    SCHEMA_UINT,
    SCHEMA_FLOAT,
    SCHEMA_TIME,
    SCHEMA_RAW,
    SCHEMA_ARRAY,
    SCHEMA_MAP,
    SCHEMA_OBJECT,
};

struct schema_type {
    enum schema_kind kind;
    unsigned bits;                /* width of an integer */
    bool null;                    /* of an object: nil is null */
    const char *go;               /* the type's name in Go */
    const struct schema_type *of; /* of arrays and maps */
    const struct schema_object *object;
};

struct schema_field {
    struct slice name;
    bool omit;
    struct schema_type type;
};

struct schema_object {
    const char *go; /* the struct's name in Go, without its package */
    size_t count;
    struct schema_field fields[];
};

struct schema {
    struct schema_type type;
    unsigned depth; /* of nesting, 1 for an object of scalars */
};

/* What the functions of the module share, a userdata in their first upvalue. Its environment table
 * holds at 1 ffi.istype, at 2 and 3 the ctypes int64_t and uint64_t. */
struct codec {
    struct json_writer writer;
};

/* The three functions of the module. */
int schema_encode(lua_State *L);
int schema_decode(lua_State *L);
const struct schema *schema_check(lua_State *L, int at);

/* An integer of any kind at `at`: which of the two values counts is told by `*is_unsigned`. False
 * if the value is no integer or none that 64 bits hold. `env` is the index of the codec's
 * environment. */
bool schema_integer(lua_State *L, int at, int env, bool *is_unsigned, int64_t *i, uint64_t *u);

/* Pushes an integer as a number, or as cdata if a number would lose digits. */
void schema_push_int(lua_State *L, int env, int64_t value);
void schema_push_uint(lua_State *L, int env, uint64_t value);
