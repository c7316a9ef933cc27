// The page works without scripts. These save the reload, and let answers arrive by themselves.
import { takeOver } from "./chat.js";
import { listen } from "./live.js";

takeOver(document);
listen();
