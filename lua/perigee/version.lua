--- Perigee's own version; the version of nats-server whose place it takes is in identity.lua.
return "0.1.0"
