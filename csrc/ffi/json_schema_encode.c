#include "ffi/json_schema_types.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT_BYTES = 1 << 20 }; /* a larger buffer is given back after its document */

/* One call of json.encode(). The writer belongs to the codec, so that an error of the Lua state
 * leaves nothing behind. */
struct encoder {
    lua_State *L;
    struct json_writer *w;
    int env;
    char message[SCHEMA_MESSAGE_BYTES]; /* empty: all is well */
};

/* A value on its way: the Lua value at stack index `at`, written as `type`; `where` names it in
 * messages. */
static void encode_value(struct encoder *e, const struct schema_type *type, int at,
                         const char *where);

static void mismatch(struct encoder *e, const char *where, const char *expected, int at) {
    if (e->message[0]) return;
    lua_State *L = e->L;
    if (lua_type(L, at) == LUA_TNUMBER)
        snprintf(e->message, sizeof e->message, "%s: %.17g is not %s", where, lua_tonumber(L, at),
                 expected);
    else
        snprintf(e->message, sizeof e->message, "%s: %s expected, got %s", where, expected,
                 luaL_typename(L, at));
}

static void encode_string(struct encoder *e, const struct schema_type *type, int at,
                          const char *where) {
    if (lua_type(e->L, at) != LUA_TSTRING) {
        mismatch(e, where, type->kind == SCHEMA_RAW ? "JSON text" : "a string", at);
        return;
    }
    struct slice s;
    s.at = lua_tolstring(e->L, at, &s.size);
    if (type->kind == SCHEMA_RAW)
        json_write_raw(e->w, s);
    else
        json_write_string(e->w, s);
}

static bool fits(const struct schema_type *type, bool is_unsigned, int64_t i, uint64_t u) {
    if (type->kind == SCHEMA_UINT) {
        if (!is_unsigned && i < 0) return false;
        return type->bits == 64 || (is_unsigned ? u : (uint64_t)i) >> type->bits == 0;
    }
    if (is_unsigned) return false;
    if (type->bits == 64) return true;
    int64_t end = INT64_C(1) << (type->bits - 1);
    return i >= -end && i < end;
}

static void encode_integer(struct encoder *e, const struct schema_type *type, int at,
                           const char *where) {
    bool is_unsigned;
    int64_t i = 0;
    uint64_t u = 0;
    if (!schema_integer(e->L, at, e->env, &is_unsigned, &i, &u) || !fits(type, is_unsigned, i, u)) {
        char expected[64];
        snprintf(expected, sizeof expected, "an integer of type %.40s", type->go);
        mismatch(e, where, expected, at);
    } else if (type->kind == SCHEMA_TIME) {
        json_write_time(e->w, i);
    } else if (is_unsigned) {
        json_write_uint(e->w, u);
    } else {
        json_write_int(e->w, i);
    }
}

static void encode_float(struct encoder *e, int at, const char *where) {
    bool is_unsigned;
    int64_t i = 0;
    uint64_t u = 0;
    if (lua_type(e->L, at) == LUA_TNUMBER)
        json_write_double(e->w, lua_tonumber(e->L, at));
    else if (schema_integer(e->L, at, e->env, &is_unsigned, &i, &u))
        json_write_double(e->w, is_unsigned ? (double)u : (double)i);
    else
        mismatch(e, where, "a number", at);
}

static void encode_array(struct encoder *e, const struct schema_type *type, int at,
                         const char *where) {
    size_t count = lua_objlen(e->L, at);
    json_write_open(e->w, '[');
    for (size_t i = 1; i <= count && !e->message[0]; i++) {
        lua_rawgeti(e->L, at, (int)i);
        encode_value(e, type->of, lua_gettop(e->L), where);
        lua_pop(e->L, 1);
    }
    if (!e->message[0]) json_write_close(e->w, ']');
}

static int compare_keys(const void *a, const void *b) {
    const struct slice *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->at, y->at, n);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Pushes a userdata with the keys of the map at `at`, in order. The strings are held by the map. */
static struct slice *sorted_keys(struct encoder *e, int at, size_t *count, const char *where) {
    lua_State *L = e->L;
    *count = 0;
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        ++*count;
        if (lua_type(L, -2) != LUA_TSTRING)
            mismatch(e, where, "a key that is a string", lua_gettop(L) - 1);
    }
    struct slice *keys = lua_newuserdata(L, *count * sizeof *keys + 1);
    if (e->message[0]) return keys;
    size_t i = 0;
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1), i++)
        keys[i].at = lua_tolstring(L, -2, &keys[i].size);
    qsort(keys, *count, sizeof *keys, compare_keys);
    return keys;
}

static void encode_map(struct encoder *e, const struct schema_type *type, int at,
                       const char *where) {
    lua_State *L = e->L;
    size_t count;
    struct slice *keys = sorted_keys(e, at, &count, where);
    json_write_open(e->w, '{');
    for (size_t i = 0; i < count && !e->message[0]; i++) {
        json_write_key(e->w, keys[i]);
        lua_pushlstring(L, keys[i].at, keys[i].size);
        lua_rawget(L, at);
        encode_value(e, type->of, lua_gettop(L), keys[i].at);
        lua_pop(L, 1);
    }
    if (!e->message[0]) json_write_close(e->w, '}');
    lua_pop(L, 1);
}

/* What `omit` leaves out. */
static bool is_empty(struct encoder *e, const struct schema_type *type, int at) {
    lua_State *L = e->L;
    if (lua_isnil(L, at)) return true;
    bool is_unsigned;
    int64_t i = 0;
    uint64_t u = 0;
    switch (type->kind) {
    case SCHEMA_STRING:
    case SCHEMA_RAW:
        return lua_type(L, at) == LUA_TSTRING && lua_objlen(L, at) == 0;
    case SCHEMA_BOOL:
        return !lua_toboolean(L, at);
    case SCHEMA_INT:
    case SCHEMA_UINT:
    case SCHEMA_FLOAT:
        if (lua_type(L, at) == LUA_TNUMBER) return lua_tonumber(L, at) == 0;
        return schema_integer(L, at, e->env, &is_unsigned, &i, &u) && !is_unsigned && i == 0;
    case SCHEMA_ARRAY:
        return lua_istable(L, at) && lua_objlen(L, at) == 0;
    case SCHEMA_MAP:
        if (!lua_istable(L, at)) return false;
        lua_pushnil(L);
        if (!lua_next(L, at)) return true;
        lua_pop(L, 2);
        return false;
    case SCHEMA_TIME:
    case SCHEMA_OBJECT:
        return false;
    }
    return false;
}

/* The object's members; `at` is the index of a table or of nil, from which every member is missing.
 */
static void encode_object(struct encoder *e, const struct schema_type *type, int at) {
    lua_State *L = e->L;
    bool present = lua_istable(L, at);
    json_write_open(e->w, '{');
    for (size_t i = 0; i < type->object->count && !e->message[0]; i++) {
        const struct schema_field *f = &type->object->fields[i];
        if (present) {
            lua_pushlstring(L, f->name.at, f->name.size);
            lua_rawget(L, at);
        } else {
            lua_pushnil(L);
        }
        int value = lua_gettop(L);
        if (!f->omit || !is_empty(e, &f->type, value)) {
            json_write_key(e->w, f->name);
            encode_value(e, &f->type, value, f->name.at);
        }
        lua_pop(L, 1);
    }
    if (!e->message[0]) json_write_close(e->w, '}');
}

static void encode_nil(struct encoder *e, const struct schema_type *type, int at) {
    switch (type->kind) {
    case SCHEMA_STRING:
        json_write_string(e->w, slice_text(""));
        break;
    case SCHEMA_BOOL:
        json_write_bool(e->w, false);
        break;
    case SCHEMA_INT:
    case SCHEMA_UINT:
    case SCHEMA_FLOAT:
        json_write_int(e->w, 0);
        break;
    case SCHEMA_TIME:
        json_write_raw(e->w, slice_text("\"0001-01-01T00:00:00Z\""));
        break;
    case SCHEMA_RAW:
    case SCHEMA_ARRAY:
    case SCHEMA_MAP:
        json_write_null(e->w);
        break;
    case SCHEMA_OBJECT:
        if (type->null)
            json_write_null(e->w);
        else
            encode_object(e, type, at);
        break;
    }
}

static void encode_value(struct encoder *e, const struct schema_type *type, int at,
                         const char *where) {
    lua_State *L = e->L;
    luaL_checkstack(L, 8, "json.encode");
    if (lua_isnil(L, at)) {
        encode_nil(e, type, at);
        return;
    }
    bool nests = type->kind >= SCHEMA_ARRAY;
    if (nests && !lua_istable(L, at)) {
        mismatch(e, where, "a table", at);
        return;
    }
    switch (type->kind) {
    case SCHEMA_STRING:
    case SCHEMA_RAW:
        encode_string(e, type, at, where);
        break;
    case SCHEMA_BOOL:
        if (lua_isboolean(L, at))
            json_write_bool(e->w, lua_toboolean(L, at));
        else
            mismatch(e, where, "a boolean", at);
        break;
    case SCHEMA_INT:
    case SCHEMA_UINT:
    case SCHEMA_TIME:
        encode_integer(e, type, at, where);
        break;
    case SCHEMA_FLOAT:
        encode_float(e, at, where);
        break;
    case SCHEMA_ARRAY:
        encode_array(e, type, at, where);
        break;
    case SCHEMA_MAP:
        encode_map(e, type, at, where);
        break;
    case SCHEMA_OBJECT:
        encode_object(e, type, at);
        break;
    }
}

static unsigned indent_option(lua_State *L, int at) {
    if (lua_isnoneornil(L, at)) return 0;
    luaL_checktype(L, at, LUA_TTABLE);
    lua_getfield(L, at, "indent");
    unsigned indent = lua_isnumber(L, -1)    ? (unsigned)lua_tointeger(L, -1) & 15
                      : lua_toboolean(L, -1) ? 2
                                             : 0;
    lua_pop(L, 1);
    return indent;
}

int schema_encode(lua_State *L) {
    const struct schema *schema = schema_check(L, 1);
    luaL_checkany(L, 2);
    unsigned indent = indent_option(L, 3);
    lua_settop(L, 2);
    struct codec *codec = lua_touserdata(L, lua_upvalueindex(1));
    lua_getfenv(L, lua_upvalueindex(1));
    struct encoder e = {.L = L, .w = &codec->writer, .env = 3};
    json_writer_reset(e.w, indent);
    encode_value(&e, &schema->type, 2, "document");
    const char *error = e.message[0] ? e.message : json_writer_error(e.w);
    if (error) {
        lua_pushnil(L);
        lua_pushfstring(L, "json.encode: %s", error);
    } else {
        lua_pushlstring(L, e.w->at, e.w->size);
    }
    if (e.w->room > KEPT_BYTES) json_writer_free(e.w);
    return error ? 2 : 1;
}
