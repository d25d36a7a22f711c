/*
 * The launcher. `perigee` runs the embedded control plane; `perigee-lua` is an interpreter with the
 * same core and modules inside, in which scripts and specs run: perigee-lua [-e text] [script
 * [arguments]].
 *
 * Lua's modules come from the binary; perigee-lua prefers the files below PERIGEE_LUA when that is
 * set, so that a change to a module needs no build.
 */
#include "base/hash.h"
#include "ffi/embedded.h"
#include "ffi/json_schema.h"
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct embedded_file *embedded(const char *name) {
    for (const struct embedded_file *f = embedded_files; f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

/* package.loaders' entry: the chunk of an embedded module. */
static int load_embedded(lua_State *L) {
    const struct embedded_file *f = embedded(luaL_checkstring(L, 1));
    if (!f) {
        lua_pushfstring(L, "\n\tno embedded module '%s'", lua_tostring(L, 1));
        return 1;
    }
    lua_pushfstring(L, "@%s", f->name);
    if (luaL_loadbuffer(L, f->text, f->size, lua_tostring(L, -1)) != 0) return lua_error(L);
    return 1;
}

static int push_header(lua_State *L) {
    const struct embedded_file *f = embedded("perigee.h");
    lua_pushlstring(L, f->text, f->size);
    return 1;
}

/* Puts `loader` behind package.preload in the list of loaders. */
static void add_loader(lua_State *L, lua_CFunction loader) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    int n = (int)lua_objlen(L, -1);
    for (int i = n; i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, loader);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

static void preload(lua_State *L, const char *name, lua_CFunction open) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 2);
}

#ifdef PERIGEE_SANITIZED
/* LeakSanitizer does not look into LuaJIT's own memory: what only Lua holds would be reported. */
static void *from_malloc(void *ud, void *at, size_t old_size, size_t size) {
    (void)ud;
    (void)old_size;
    if (size) return realloc(at, size);
    free(at);
    return NULL;
}
#endif

static lua_State *new_state(void) {
#ifdef PERIGEE_SANITIZED
    return lua_newstate(from_malloc, NULL);
#else
    return luaL_newstate();
#endif
}

static void push_arguments(lua_State *L, int argc, char **argv, int first) {
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - first);
    }
    lua_setglobal(L, "arg");
}

static int traceback(lua_State *L) {
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

/* Calls the chunk on the top with the arguments behind argv[first]; its first result, when a
 * number, is the exit code. */
static int run(lua_State *L, int argc, char **argv, int first) {
    int n = 0;
    lua_pushcfunction(L, traceback);
    lua_insert(L, -2);
    int handler = lua_gettop(L) - 1;
    for (int i = first + 1; i < argc; i++, n++) lua_pushstring(L, argv[i]);
    if (lua_pcall(L, n, 1, handler) != 0) {
        if (lua_isstring(L, -1)) /* an error without a value means: no word, just end (busted's) */
            fprintf(stderr, "perigee: %s\n", lua_tostring(L, -1));
        return 1;
    }
    return lua_isnumber(L, -1) ? (int)lua_tointeger(L, -1) : 0;
}

#ifdef PERIGEE_INTERPRETER
static int run_interpreter(lua_State *L, int argc, char **argv) {
    if (getenv("PERIGEE_LUA")) {
        lua_getglobal(L, "package");
        lua_getfield(L, -1, "path");
        lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", getenv("PERIGEE_LUA"),
                        getenv("PERIGEE_LUA"), lua_tostring(L, -1));
        lua_setfield(L, -3, "path");
        lua_pop(L, 2);
    }
    bool text = argc > 2 && strcmp(argv[1], "-e") == 0;
    int script = text ? 2 : 1;
    if (argc <= script) {
        fprintf(stderr, "usage: perigee-lua [-e text | script] [arguments]\n");
        return 2;
    }
    push_arguments(L, argc, argv, script);
    if (text ? luaL_loadstring(L, argv[script]) : luaL_loadfile(L, argv[script])) {
        fprintf(stderr, "perigee-lua: %s\n", lua_tostring(L, -1));
        return 1;
    }
    return run(L, argc, argv, script);
}
#endif

int main(int argc, char **argv) {
    hash_seed(); /* before the first table: a mapping set, an index */
    lua_State *L = new_state();
    if (!L) {
        fprintf(stderr, "perigee: no memory for Lua\n");
        return 1;
    }
    luaL_openlibs(L);
    preload(L, "perigee.json", luaopen_perigee_json);
    lua_pushcfunction(L, push_header);
    lua_setglobal(L, "perigee_header");
    int code;
#ifdef PERIGEE_INTERPRETER
    if (getenv("PERIGEE_LUA")) { /* files first */
        lua_getglobal(L, "package");
        lua_getfield(L, -1, "loaders");
        lua_pushcfunction(L, load_embedded);
        lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
        lua_pop(L, 2);
    } else {
        add_loader(L, load_embedded);
    }
    code = run_interpreter(L, argc, argv);
#else
    add_loader(L, load_embedded);
    push_arguments(L, argc, argv, 0);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "perigee.main");
    if (lua_pcall(L, 1, 1, 0) != 0) {
        fprintf(stderr, "perigee: %s\n", lua_tostring(L, -1));
        return 1;
    }
    code = run(L, argc, argv, 0);
#endif
    lua_close(L);
    fflush(stdout);
    return code;
}
