#include "ffi/json_schema_types.h"
#include "wire/go_quote.h"
#include "wire/json_reader.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Members on the way from the root to a value, for messages. */
struct path {
    const struct path *above;
    const struct schema_object *object;
    const struct schema_field *field;
};

/* One call of json.decode(). As in Go the first value that does not fit is reported, after the rest
 * was decoded. */
struct decoder {
    lua_State *L;
    struct json_reader reader;
    int env;
    char message[SCHEMA_MESSAGE_BYTES]; /* empty: all is well */
};

/* Decodes a value that begins with `token` and pushes it; false, and nothing pushed, if what was
 * there before stays. `into` is the stack index of that, which may be nil. Depth is bounded by the
 * schema's. */
static bool decode_value(struct decoder *d, const struct schema_type *type, enum json_token token,
                         const struct path *path, int into);

static size_t print_path(const struct path *path, char *out, size_t size) {
    const struct path *steps[SCHEMA_DEPTH + 1];
    size_t count = 0, n = 0;
    for (; path && count < SCHEMA_DEPTH; path = path->above) steps[count++] = path;
    out[0] = 0;
    while (count-- > 0 && n < size)
        n +=
            (size_t)snprintf(out + n, size - n, "%s%s", n ? "." : "", steps[count]->field->name.at);
    return n;
}

/* Reports that `what` cannot be a `type`. */
static bool misfit(struct decoder *d, const char *what, const struct schema_type *type,
                   const struct path *path) {
    if (d->message[0]) return false;
    char where[SCHEMA_MESSAGE_BYTES / 2];
    if (path) {
        print_path(path, where, sizeof where);
        snprintf(d->message, sizeof d->message,
                 "json: cannot unmarshal %.100s into Go struct field %s.%s of type %s", what,
                 path->object->go, where, type->go);
    } else {
        snprintf(d->message, sizeof d->message,
                 "json: cannot unmarshal %.100s into Go value of type %s", what, type->go);
    }
    return false;
}

static const char *token_name(enum json_token token) {
    switch (token) {
    case JSON_OPEN_OBJECT:
        return "object";
    case JSON_OPEN_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_NUMBER:
        return "number";
    default:
        return "bool";
    }
}

/* A value of another kind than the type's. */
static bool refuse(struct decoder *d, const struct schema_type *type, enum json_token token,
                   const struct path *path) {
    json_skip(&d->reader, token);
    return misfit(d, token_name(token), type, path);
}

static void push_text(struct decoder *d, struct slice text) {
    if (json_is_plain(text)) {
        lua_pushlstring(d->L, text.at, text.size);
        return;
    }
    char *out = lua_newuserdata(d->L, text.size * JSON_UNESCAPED);
    lua_pushlstring(d->L, out, json_unescape(text, out));
    lua_remove(d->L, -2);
}

static bool decode_integer(struct decoder *d, const struct schema_type *type, enum json_token token,
                           const struct path *path) {
    if (token != JSON_NUMBER) return refuse(d, type, token, path);
    int64_t i;
    uint64_t u;
    unsigned unused = 64 - type->bits;
    struct slice text = d->reader.text;
    if (type->kind == SCHEMA_UINT && json_number_uint(text, &u) && u <= UINT64_MAX >> unused) {
        schema_push_uint(d->L, d->env, u);
        return true;
    }
    if (type->kind == SCHEMA_INT && json_number_int(text, &i) && i <= INT64_MAX >> unused &&
        i >= -(INT64_MAX >> unused) - 1) {
        schema_push_int(d->L, d->env, i);
        return true;
    }
    char what[128];
    snprintf(what, sizeof what, "number %.*s", (int)(text.size < 100 ? text.size : 100), text.at);
    return misfit(d, what, type, path);
}

static bool decode_float(struct decoder *d, const struct schema_type *type, enum json_token token,
                         const struct path *path) {
    if (token != JSON_NUMBER) return refuse(d, type, token, path);
    double value;
    if (json_number_double(d->reader.text, &value)) {
        lua_pushnumber(d->L, value);
        return true;
    }
    char what[128];
    snprintf(what, sizeof what, "number %.*s",
             (int)(d->reader.text.size < 100 ? d->reader.text.size : 100), d->reader.text.at);
    return misfit(d, what, type, path);
}

static bool decode_time(struct decoder *d, enum json_token token) {
    static const char form[] = "2006-01-02T15:04:05Z07:00";
    if (token != JSON_STRING) {
        json_skip(&d->reader, token);
        if (!d->message[0])
            snprintf(d->message, sizeof d->message,
                     "Time.UnmarshalJSON: input is not a JSON string");
        return false;
    }
    int64_t at;
    if (slice_is(d->reader.text, "0001-01-01T00:00:00Z")) {
        lua_pushnil(d->L);
        return true;
    }
    if (json_time(d->reader.text, &at)) {
        schema_push_int(d->L, d->env, at);
        return true;
    }
    if (!d->message[0]) {
        char quoted[128];
        go_quote(d->reader.text, quoted, sizeof quoted);
        snprintf(d->message, sizeof d->message, "parsing time %s as \"%s\": cannot parse %s",
                 quoted, form, quoted);
    }
    return false;
}

/* The value as it stands in the text. */
static bool decode_raw(struct decoder *d, enum json_token token) {
    const char *start = d->reader.start;
    json_skip(&d->reader, token);
    lua_pushlstring(d->L, start, (size_t)(d->reader.at - start));
    return true;
}

/* Pushes what null is as an element, which has nothing before it to leave alone. */
static void push_zero(lua_State *L, const struct schema_type *type) {
    switch (type->kind) {
    case SCHEMA_STRING:
        lua_pushliteral(L, "");
        break;
    case SCHEMA_BOOL:
        lua_pushboolean(L, 0);
        break;
    case SCHEMA_INT:
    case SCHEMA_UINT:
    case SCHEMA_FLOAT:
    case SCHEMA_TIME:
        lua_pushnumber(L, 0);
        break;
    case SCHEMA_RAW:
    case SCHEMA_ARRAY:
    case SCHEMA_MAP:
    case SCHEMA_OBJECT:
        lua_newtable(L);
        break;
    }
}

/* An element of an array or a map: always pushes something, for after an error nothing is returned
 * anyway. */
static void decode_element(struct decoder *d, const struct schema_type *type, enum json_token token,
                           const struct path *path, int nil) {
    bool pushed = decode_value(d, type, token, path, nil);
    if (pushed && !lua_isnil(d->L, -1)) return;
    if (pushed) lua_pop(d->L, 1);
    push_zero(d->L, type);
}

static bool decode_array(struct decoder *d, const struct schema_type *type, enum json_token token,
                         const struct path *path) {
    if (token != JSON_OPEN_ARRAY) return refuse(d, type, token, path);
    lua_State *L = d->L;
    lua_newtable(L);
    lua_pushnil(L);
    int list = lua_gettop(L) - 1, count = 0;
    while ((token = json_next(&d->reader)) != JSON_CLOSE_ARRAY) {
        decode_element(d, type->of, token, path, list + 1);
        lua_rawseti(L, list, ++count);
    }
    lua_pop(L, 1);
    return true;
}

/* Pushes the table that is there already, or a new one. */
static int table_at(struct decoder *d, int into) {
    if (lua_istable(d->L, into))
        lua_pushvalue(d->L, into);
    else
        lua_newtable(d->L);
    return lua_gettop(d->L);
}

static bool decode_map(struct decoder *d, const struct schema_type *type, enum json_token token,
                       const struct path *path, int into) {
    if (token != JSON_OPEN_OBJECT) return refuse(d, type, token, path);
    lua_State *L = d->L;
    int map = table_at(d, into);
    lua_pushnil(L);
    while (json_next(&d->reader) != JSON_CLOSE_OBJECT) {
        push_text(d, d->reader.text);
        token = json_next(&d->reader);
        decode_element(d, type->of, token, path, map + 1);
        lua_rawset(L, map);
    }
    lua_pop(L, 1);
    return true;
}

/* The field for the key on top of the stack: that of exactly this name, else the first of this name
 * in another case. */
static const struct schema_field *find_field(lua_State *L, const struct schema_object *object) {
    size_t size;
    const char *key = lua_tolstring(L, -1, &size);
    const struct schema_field *found = NULL;
    for (size_t i = 0; i < object->count; i++) {
        const struct schema_field *f = &object->fields[i];
        if (f->name.size != size || strncasecmp(f->name.at, key, size) != 0) continue;
        if (memcmp(f->name.at, key, size) == 0) return f;
        if (!found) found = f;
    }
    return found;
}

/* Whether null empties a value instead of leaving it alone: what is a pointer, a slice or a map in
 * Go. */
static bool null_empties(const struct schema_type *type) {
    return type->kind == SCHEMA_ARRAY || type->kind == SCHEMA_MAP ||
           (type->kind == SCHEMA_OBJECT && type->null);
}

static bool decode_object(struct decoder *d, const struct schema_type *type, enum json_token token,
                          const struct path *path, int into) {
    if (token != JSON_OPEN_OBJECT) return refuse(d, type, token, path);
    lua_State *L = d->L;
    int table = table_at(d, into);
    while (json_next(&d->reader) != JSON_CLOSE_OBJECT) {
        push_text(d, d->reader.text);
        const struct schema_field *field = find_field(L, type->object);
        lua_pop(L, 1);
        token = json_next(&d->reader);
        if (!field) {
            json_skip(&d->reader, token);
            continue;
        }
        lua_pushlstring(L, field->name.at, field->name.size);
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        struct path below = {path, type->object, field};
        int before = lua_gettop(L);
        if (decode_value(d, &field->type, token, &below, before)) {
            lua_remove(L, before);
            lua_rawset(L, table);
        } else {
            lua_settop(L, before - 2);
        }
    }
    return true;
}

static bool decode_value(struct decoder *d, const struct schema_type *type, enum json_token token,
                         const struct path *path, int into) {
    lua_State *L = d->L;
    luaL_checkstack(L, 10, "json.decode");
    if (token == JSON_NULL && type->kind != SCHEMA_RAW) {
        if (null_empties(type)) lua_pushnil(L);
        return null_empties(type);
    }
    switch (type->kind) {
    case SCHEMA_STRING:
        if (token != JSON_STRING) return refuse(d, type, token, path);
        push_text(d, d->reader.text);
        return true;
    case SCHEMA_BOOL:
        if (token != JSON_TRUE && token != JSON_FALSE) return refuse(d, type, token, path);
        lua_pushboolean(L, token == JSON_TRUE);
        return true;
    case SCHEMA_INT:
    case SCHEMA_UINT:
        return decode_integer(d, type, token, path);
    case SCHEMA_FLOAT:
        return decode_float(d, type, token, path);
    case SCHEMA_TIME:
        return decode_time(d, token);
    case SCHEMA_RAW:
        return decode_raw(d, token);
    case SCHEMA_ARRAY:
        return decode_array(d, type, token, path);
    case SCHEMA_MAP:
        return decode_map(d, type, token, path, into);
    case SCHEMA_OBJECT:
        return decode_object(d, type, token, path, into);
    }
    return false;
}

int schema_decode(lua_State *L) {
    const struct schema *schema = schema_check(L, 1);
    struct slice text;
    text.at = luaL_checklstring(L, 2, &text.size);
    lua_settop(L, 3);
    lua_getfenv(L, lua_upvalueindex(1));
    char error[JSON_ERROR_BYTES];
    if (json_check(text, error) != 0) {
        lua_pushnil(L);
        lua_pushstring(L, error);
        return 2;
    }
    struct decoder d = {.L = L, .reader = json_reader_of(text), .env = 4};
    bool pushed = decode_value(&d, &schema->type, json_next(&d.reader), NULL, 3);
    if (d.message[0]) {
        lua_pushnil(L);
        lua_pushstring(L, d.message);
        return 2;
    }
    if (!pushed || lua_isnil(L, -1)) table_at(&d, 3);
    return 1;
}
