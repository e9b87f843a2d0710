// Creates the replica set and its users; docker-compose.yml runs it in mongosh. Running it again changes nothing.
const fs = require("fs");

const secret = (name) => fs.readFileSync(`/secrets/${name}`, "utf8").trim();
const admin = connect(`mongodb://root:${secret("root_password")}@mongo:27017/admin?directConnection=true`);
const passwords = JSON.parse(secret("users.json"));
const services = Object.keys(passwords).filter((name) => !["setup", "operator"].includes(name));

makeReplicaSet();
// Only the rights that `asskomm setup` needs: it reads and writes no data, and drops nothing.
make("Role", "asskommSetup", {
  roles: [],
  privileges: services.map((db) => ({
    resource: { db, collection: "" },
    actions: ["listCollections", "createCollection", "collMod", "createIndex"],
  })),
});
make("User", "setup", { pwd: passwords.setup, roles: ["asskommSetup"] });
make("User", "operator", { pwd: passwords.operator, roles: services.map((db) => ({ role: "readWrite", db })) });
// A service's database has the service's name; no other service's user has access to it.
services.forEach((db) => make("User", db, { pwd: passwords[db], roles: [{ role: "readWrite", db }] }));
print(`replica set and users are in place: ${Object.keys(passwords).join(", ")}`);

function makeReplicaSet() {
  try {
    // One node is enough for transactions.
    admin.adminCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] } });
  } catch (error) {
    if (error.codeName !== "AlreadyInitialized") throw error;
  }
  for (let tries = 0; !admin.hello().isWritablePrimary; tries++) {
    if (tries === 300) throw new Error("the replica set has no primary after 60 s");
    sleep(200);
  }
}

function make(kind, name, definition) {
  const verb = admin[`get${kind}`](name) ? "update" : "create";
  const named = kind === "User" ? { user: name } : { role: name };
  if (verb === "update") admin[`update${kind}`](name, definition);
  else admin[`create${kind}`]({ ...named, ...definition });
}
