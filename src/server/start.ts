/** The server's entry: keeps compiled code between starts, which a module can only do before the rest is loaded. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./main.ts');
