import { defineConfig } from "vite"
import react from "@vitejs/plugin-react"

// Rails serves public/; the manifest tells ViteHelper the names.
export default defineConfig({
  plugins: [ react() ],
  base: "/build/",
  publicDir: false,
  build: {
    outDir: "public/build",
    manifest: true,
    rollupOptions: { input: "app/javascript/chat.jsx" }
  }
})
