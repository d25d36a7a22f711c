/*
 * The JSON codec of the protocol's documents as a Lua module, "perigee.json". A schema describes a
 * document as data: the names of its members in their order, their types, which are left out when
 * empty. It is compiled once and then drives encoding and decoding, so that 64-bit integers stay
 * exact, order is kept, and [], {} and null stay apart.
 *
 *   json.schema(description) -> schema     a mistake in a description is an error()
 *   json.encode(schema, value [, {indent = true | spaces}]) -> text | nil, message
 *   json.decode(schema, text [, into]) -> value | nil, message
 *
 * A description is a list of members (an object), or a type with `type` set:
 *
 *   { name = "max_payload", type = "int", omit = true }
 *
 *   type   string, bool, float; int, uint (with bits = 8, 16 or 32 if narrower than 64);
 *          raw: text that is JSON already;
 *          time: nanoseconds since 1970; nil is Go's zero time;
 *          array (of = type); map (of = type; keys are strings and sorted);
 *          object (fields = description or schema)
 *   of     the name of a type, a description or a schema
 *   omit   left out when empty: "", 0, false, no elements, and for times and objects nil
 *   null   an object that is nil is written as null (a pointer in Go), not with all its members
 *          empty (a struct)
 *   go     the type's name in Go, for error texts; by default that of the type of the same width
 *
 * A list of members may have a `name`: that of the struct in Go, for error texts as well.
 *
 * In Lua, integers up to 2^53 are numbers, those beyond are int64_t or uint64_t cdata, and both are
 * accepted everywhere. An array or a map that is nil is null; one that is an empty table is [] or
 * {}. Decoding takes keys in any case, ignores unknown members, leaves a member alone at null, and
 * fills `into` if given. Metatables are not looked at.
 *
 * Nesting is bounded by the schema, at most SCHEMA_DEPTH. One Lua state, one thread.
 */
#pragma once
#include <lua.h>

int luaopen_perigee_json(lua_State *L);
