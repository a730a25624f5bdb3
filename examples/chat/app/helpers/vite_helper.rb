# frozen_string_literal: true

# Links what Vite built from app/javascript, by the manifest it left.
module ViteHelper
  MANIFEST = Rails.root.join("public/build/.vite/manifest.json")

  def vite_tags(entry)
    built = vite_manifest.fetch(entry)
    styles = Array(built["css"]).map { |file| tag.link rel: "stylesheet", href: "/build/#{file}" }
    script = content_tag(:script, "", type: "module", src: "/build/#{built.fetch("file")}")
    safe_join [ *styles, script ], "\n"
  end

  private
    def vite_manifest
      JSON.parse(MANIFEST.read)
    rescue Errno::ENOENT
      raise "the client is not built: run npm ci and npm run build in #{Rails.root}"
    end
end
