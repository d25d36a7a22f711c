#include "ffi/json_schema.h"
#include "ffi/json_schema_types.h"
#include <lauxlib.h>
#include <string.h>

#define SCHEMA_META "perigee.json.schema"
#define CODEC_META "perigee.json.codec"

enum { CODEC_ISTYPE = 1, CODEC_INT64, CODEC_UINT64 };

static const int64_t exact = INT64_C(1) << 53;

const struct schema *schema_check(lua_State *L, int at) {
    return luaL_checkudata(L, at, SCHEMA_META);
}

/* ---- Integers ---- */

static bool is_ctype(lua_State *L, int at, int env, int which) {
    lua_rawgeti(L, env, CODEC_ISTYPE);
    lua_rawgeti(L, env, which);
    lua_pushvalue(L, at);
    lua_call(L, 2, 1);
    bool yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
}

bool schema_integer(lua_State *L, int at, int env, bool *is_unsigned, int64_t *i, uint64_t *u) {
    *is_unsigned = false;
    if (lua_type(L, at) == LUA_TNUMBER) {
        double d = lua_tonumber(L, at);
        if (!(d >= -0x1p63 && d < 0x1p64)) return false;
        *is_unsigned = d >= 0x1p63;
        if (*is_unsigned) {
            *u = (uint64_t)d;
            return true;
        }
        *i = (int64_t)d;
        return (double)*i == d;
    }
    if (lua_type(L, at) != SCHEMA_TCDATA) return false;
    const void *payload = lua_topointer(L, at);
    if (is_ctype(L, at, env, CODEC_INT64)) {
        memcpy(i, payload, sizeof *i);
        return true;
    }
    if (!is_ctype(L, at, env, CODEC_UINT64)) return false;
    memcpy(u, payload, sizeof *u);
    *is_unsigned = *u > INT64_MAX;
    if (!*is_unsigned) *i = (int64_t)*u;
    return true;
}

/* A new box of the ctype is filled before anyone else sees it. */
static void push_box(lua_State *L, int env, int which, const void *value) {
    lua_rawgeti(L, env, which);
    lua_call(L, 0, 1);
    memcpy((void *)(uintptr_t)lua_topointer(L, -1), value, 8);
}

void schema_push_int(lua_State *L, int env, int64_t value) {
    if (value >= -exact && value <= exact)
        lua_pushnumber(L, (lua_Number)value);
    else
        push_box(L, env, CODEC_INT64, &value);
}

void schema_push_uint(lua_State *L, int env, uint64_t value) {
    if (value <= (uint64_t)exact)
        lua_pushnumber(L, (lua_Number)value);
    else
        push_box(L, env, CODEC_UINT64, &value);
}

/* ---- Compiling descriptions ---- */

/* Compiling anchors what it makes in a table at this index of the stack: strings and userdata, as
 * keys. */
struct compiler {
    lua_State *L;
    int anchors;
};

static void compile_type(struct compiler *c, int at, struct schema_type *type, unsigned *depth);

static void anchor(struct compiler *c) {
    lua_pushvalue(c->L, -1);
    lua_pushboolean(c->L, 1);
    lua_rawset(c->L, c->anchors);
}

static void *anchored_memory(struct compiler *c, size_t size) {
    void *at = lua_newuserdata(c->L, size);
    memset(at, 0, size);
    anchor(c);
    lua_pop(c->L, 1);
    return at;
}

/* The string at `key` of the table at `at`, anchored; a NULL slice if there is none. */
static struct slice text_at(struct compiler *c, int at, const char *key) {
    lua_getfield(c->L, at, key);
    struct slice s = {0};
    if (lua_type(c->L, -1) == LUA_TSTRING) {
        anchor(c);
        s.at = lua_tolstring(c->L, -1, &s.size);
    } else if (!lua_isnil(c->L, -1)) {
        luaL_error(c->L, "json.schema: %s is not a string", key);
    }
    lua_pop(c->L, 1);
    return s;
}

static bool flag_at(struct compiler *c, int at, const char *key) {
    lua_getfield(c->L, at, key);
    bool yes = lua_toboolean(c->L, -1);
    lua_pop(c->L, 1);
    return yes;
}

static const struct {
    const char *name;
    enum schema_kind kind;
    const char *go;
} type_names[] = {
    {"string", SCHEMA_STRING, "string"},
    {"bool", SCHEMA_BOOL, "bool"},
    {"int", SCHEMA_INT, "int"},
    {"uint", SCHEMA_UINT, "uint64"},
    {"float", SCHEMA_FLOAT, "float64"},
    {"time", SCHEMA_TIME, "time.Time"},
    {"raw", SCHEMA_RAW, "json.RawMessage"},
    {"array", SCHEMA_ARRAY, NULL},
    {"map", SCHEMA_MAP, NULL},
    {"object", SCHEMA_OBJECT, NULL},
};

static void set_kind(struct compiler *c, const char *name, struct schema_type *type) {
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (strcmp(type_names[i].name, name) == 0) {
            type->kind = type_names[i].kind;
            type->go = type_names[i].go;
            type->bits = 64;
            return;
        }
    luaL_error(c->L, "json.schema: unknown type '%s'", name);
}

static void set_bits(struct compiler *c, int at, struct schema_type *type) {
    lua_getfield(c->L, at, "bits");
    if (!lua_isnil(c->L, -1)) {
        static const char *const names[2][3] = {{"int8", "int16", "int32"},
                                                {"uint8", "uint16", "uint32"}};
        lua_Integer bits = lua_tointeger(c->L, -1);
        bool is_int = type->kind == SCHEMA_INT || type->kind == SCHEMA_UINT;
        if (!is_int || (bits != 8 && bits != 16 && bits != 32))
            luaL_error(c->L, "json.schema: bits are 8, 16 or 32, of an int or uint");
        type->bits = (unsigned)bits;
        type->go = names[type->kind == SCHEMA_UINT][bits / 16];
    }
    lua_pop(c->L, 1);
}

/* The name in Go of an array, a map or an object, unless given. */
static void set_go_name(struct compiler *c, struct schema_type *type) {
    if (type->kind == SCHEMA_OBJECT)
        lua_pushfstring(c->L, "server.%s", type->object->go);
    else
        lua_pushfstring(c->L, type->kind == SCHEMA_MAP ? "map[string]%s" : "[]%s", type->of->go);
    anchor(c);
    type->go = lua_tostring(c->L, -1);
    lua_pop(c->L, 1);
}

static void compile_object(struct compiler *c, int at, struct schema_type *type, unsigned *depth) {
    lua_State *L = c->L;
    size_t count = lua_objlen(L, at);
    struct schema_object *o = anchored_memory(c, sizeof *o + count * sizeof *o->fields);
    struct slice go = text_at(c, at, "name");
    o->go = go.at ? go.at : "";
    o->count = count;
    for (size_t i = 0; i < count; i++) {
        struct schema_field *f = &o->fields[i];
        lua_rawgeti(L, at, (int)i + 1);
        if (!lua_istable(L, -1)) luaL_error(L, "json.schema: member %d is not a table", (int)i + 1);
        int member = lua_gettop(L);
        f->name = text_at(c, member, "name");
        if (!f->name.at) luaL_error(L, "json.schema: member %d has no name", (int)i + 1);
        f->omit = flag_at(c, member, "omit");
        lua_getfield(L, member, "type");
        if (!lua_isstring(L, -1)) luaL_error(L, "json.schema: member '%s' has no type", f->name.at);
        lua_pop(L, 1);
        unsigned below = *depth;
        compile_type(c, member, &f->type, &below);
        if (below > *depth) *depth = below;
        lua_pop(L, 1);
    }
    type->kind = SCHEMA_OBJECT;
    type->object = o;
    (*depth)++;
}

static void compile_element(struct compiler *c, int at, struct schema_type *type, unsigned *depth) {
    struct schema_type *of = anchored_memory(c, sizeof *of);
    lua_getfield(c->L, at, "of");
    compile_type(c, lua_gettop(c->L), of, depth);
    lua_pop(c->L, 1);
    type->of = of;
    (*depth)++;
}

/* A table with `type`, beside which a member's name and `omit` may stand. */
static void compile_described(struct compiler *c, int at, struct schema_type *type,
                              unsigned *depth) {
    lua_State *L = c->L;
    lua_getfield(L, at, "type");
    set_kind(c, lua_tostring(L, -1), type);
    lua_pop(L, 1);
    set_bits(c, at, type);
    if (type->kind == SCHEMA_ARRAY || type->kind == SCHEMA_MAP) {
        compile_element(c, at, type, depth);
    } else if (type->kind == SCHEMA_OBJECT) {
        lua_getfield(L, at, "fields");
        compile_type(c, lua_gettop(L), type, depth);
        lua_pop(L, 1);
        if (type->kind != SCHEMA_OBJECT) luaL_error(L, "json.schema: fields are no object");
        type->null = flag_at(c, at, "null");
    }
    struct slice go = text_at(c, at, "go");
    if (go.at)
        type->go = go.at;
    else if (!type->go)
        set_go_name(c, type);
}

/* Descriptions are the program's own, and as deep as they are written: the depth is checked before
 * anything that goes on. */
static void compile_type(struct compiler *c, int at, struct schema_type *type, unsigned *depth) {
    lua_State *L = c->L;
    luaL_checkstack(L, 8, "json.schema");
    if (lua_gettop(L) > 8 * SCHEMA_DEPTH) luaL_error(L, "json.schema: nested too deeply");
    if (lua_type(L, at) == LUA_TSTRING) {
        set_kind(c, lua_tostring(L, at), type);
        if (!type->go) luaL_error(L, "json.schema: '%s' needs a description", lua_tostring(L, at));
        return;
    }
    if (lua_isuserdata(L, at)) {
        const struct schema *s = schema_check(L, at);
        lua_pushvalue(L, at);
        anchor(c);
        lua_pop(L, 1);
        *type = s->type;
        *depth += s->depth;
    } else if (lua_istable(L, at)) {
        lua_getfield(L, at, "type");
        bool described = lua_isstring(L, -1);
        lua_pop(L, 1);
        if (described) {
            compile_described(c, at, type, depth);
        } else {
            compile_object(c, at, type, depth);
            set_go_name(c, type);
        }
    } else {
        luaL_error(L, "json.schema: a type is missing");
    }
    if (*depth > SCHEMA_DEPTH) luaL_error(L, "json.schema: nested too deeply");
}

static int schema_new(lua_State *L) {
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    struct schema *s = lua_newuserdata(L, sizeof *s);
    memset(s, 0, sizeof *s);
    lua_newtable(L);
    struct compiler c = {.L = L, .anchors = lua_gettop(L)};
    compile_type(&c, 1, &s->type, &s->depth);
    lua_setfenv(L, 2);
    luaL_getmetatable(L, SCHEMA_META);
    lua_setmetatable(L, 2);
    return 1;
}

/* ---- The module ---- */

static int codec_gc(lua_State *L) {
    struct codec *codec = lua_touserdata(L, 1);
    json_writer_free(&codec->writer);
    return 0;
}

static void codec_new(lua_State *L) {
    struct codec *codec = lua_newuserdata(L, sizeof *codec);
    json_writer_init(&codec->writer, SCHEMA_DOCUMENT_BYTES, 0);
    if (luaL_newmetatable(L, CODEC_META)) {
        lua_pushcfunction(L, codec_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_newtable(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "ffi");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "istype");
    lua_rawseti(L, -3, CODEC_ISTYPE);
    static const char *const names[] = {"int64_t", "uint64_t"};
    for (int i = 0; i < 2; i++) {
        lua_getfield(L, -1, "typeof");
        lua_pushstring(L, names[i]);
        lua_call(L, 1, 1);
        lua_rawseti(L, -3, CODEC_INT64 + i);
    }
    lua_pop(L, 1);
    lua_setfenv(L, -2);
}

int luaopen_perigee_json(lua_State *L) {
    luaL_newmetatable(L, SCHEMA_META);
    lua_pop(L, 1);
    lua_createtable(L, 0, 3);
    codec_new(L);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, schema_decode, 1);
    lua_setfield(L, -3, "decode");
    lua_pushcclosure(L, schema_encode, 1);
    lua_setfield(L, -2, "encode");
    lua_pushcfunction(L, schema_new);
    lua_setfield(L, -2, "schema");
    return 1;
}
