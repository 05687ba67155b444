// Run by Node: the same servers written for it, one process, no framework.
import process from "node:process";

const plan = JSON.parse(process.argv[2]);
const services = {
  http: () => import("./http.mjs"),
  websocket: () => import("./websocket.mjs"),
  tcp: () => import("./tcp.mjs"),
  stall: () => import("./stall.mjs"),
};
const { serve } = await services[plan.service]();
const server = serve(plan);
server.listen(plan.port, "127.0.0.1", 4096, () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
