import { defineConfig } from 'vite';

/** One script and one sheet of styles: a self-contained page carries both in itself. */
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsDir: '.',
    modulePreload: false,
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      output: { codeSplitting: false, entryFileNames: 'page.js', assetFileNames: 'page[extname]' },
    },
  },
});
