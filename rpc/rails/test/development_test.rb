# frozen_string_literal: true

require "open3"

# An app of its own, in development, whose code changes while a client is connected.
class DevelopmentTest < ActiveSupport::TestCase
  CHANNEL = <<~RUBY
    class NewsChannel < ActionCable::Channel::Base
      def subscribed
        @headline = Headline.new("first")
      end

      def read
        transmit({ version: 1, headline: @headline.text, of_now: @headline.instance_of?(Headline) })
      end

      def asked
        transmit({ asked: connection.env["action_dispatch.request_id"].present? })
      end
    end
  RUBY

  SCRIPT = <<~RUBY
    require "rails"
    require "action_controller/railtie"
    require "action_cable/engine"
    require "cablestay"

    class Development < Rails::Application
      config.root = Dir.pwd
      config.load_defaults "6.1"
      config.cache_classes = false
      config.eager_load = false
      config.secret_key_base = "5" * 64
      config.hosts.clear
      config.action_cable.disable_request_forgery_protection = true
      config.logger = Logger.new("development.log")
    end
    Development.initialize!
    require "support/bridge"

    client = Bridge.new.client
    client.subscribe("NewsChannel")
    say = ->(action) { puts JSON.generate(client.perform("NewsChannel", action).messages) }
    say.("read")
    say.("asked")
    file = "app/channels/news_channel.rb"
    File.write(file, File.read(file).sub("version: 1", "version: 2"))
    say.("read")
    say.("asked")
  RUBY

  test "the next event runs the new code, with the state of the old" do
    Dir.mktmpdir("cablestay-development") do |folder|
      write(folder, "app/channels/news_channel.rb", CHANNEL)
      write(folder, "app/models/headline.rb", "Headline = Struct.new(:text)\n")
      write(folder, "config/cable.yml", "development:\n  adapter: async\n")
      load_path = $LOAD_PATH.grep(/#{Regexp.escape(File.expand_path("..", __dir__))}/).flat_map { |path| [ "-I", path ] }
      out, errors, = Open3.capture3({ "RAILS_ENV" => "development" }, RbConfig.ruby, *load_path, "-e", SCRIPT, chdir: folder)

      read = ->(version) { [ { "version" => version, "headline" => "first", "of_now" => true } ] }
      assert_equal [ read.(1), [ { "asked" => true } ], read.(2), [ { "asked" => true } ] ],
        out.lines.map { |line| JSON.parse(line) }, errors
    end
  end

  private
    def write(folder, path, text)
      FileUtils.mkdir_p(File.dirname(File.join(folder, path)))
      File.write(File.join(folder, path), text)
      File.utime(Time.now - 60, Time.now - 60, File.join(folder, path)) # so that a change is newer
    end
end
