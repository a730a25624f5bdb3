# frozen_string_literal: true

require "rails/generators/base"

module Cablestay
  module Generators
    # Sets up what little there is: nothing in the app has to change. Says what comes next.
    class InstallGenerator < Rails::Generators::Base
      desc "Checks that the app is ready for Cablestay, and says how to start the bridge"

      # What an app that was made without Action Cable lacks. What is there is left alone.
      def create_cable_yml
        path = "config/cable.yml"
        return if File.exist?(File.expand_path(path, destination_root))

        create_file path, <<~YAML
          development:
            adapter: redis
            url: <%= ENV.fetch("REDIS_URL") { "redis://localhost:6379/1" } %>
          test:
            adapter: test
          production:
            adapter: redis
            url: <%= ENV.fetch("REDIS_URL") { "redis://localhost:6379/1" } %>
            channel_prefix: #{Rails.application.class.name.to_s.delete_suffix("::Application").underscore.tr("/", "_")}_production
        YAML
      end

      def check_adapter
        adapter = (ActionCable.server.config.cable || {})["adapter"]
        return if adapter.nil? || adapter.to_s == "redis"

        say_status :note, "config/cable.yml says adapter: #{adapter} for #{Rails.env}. The bridge hears broadcasts " \
          "through Redis: where it runs, the adapter must be redis.", :yellow
      end

      def show_next_steps
        say <<~TEXT

          Your connection, channels, broadcasts, tests and JavaScript stay as they are. Next:

            1. Print the secret:    bin/rails cablestay:secret
            2. Start the bridge:    CABLESTAY_SECRET=<the secret> cablestay --rails-url http://127.0.0.1:3000
            3. Send #{mount_path} there: it listens on port 8080.

          Without a bridge the app serves Action Cable as before.
        TEXT
      end

      private
        def mount_path
          ActionCable.server.config.mount_path || "/cable"
        end
    end
  end
end
