# frozen_string_literal: true

require "open3"

# Action Cable in a process that has no Rails app, nor Rails at all.
class WithoutRailsTest < ActiveSupport::TestCase
  SCRIPT = <<~RUBY
    require "logger"
    require "cablestay"
    require "support/bridge"

    class Connection < ActionCable::Connection::Base
      identified_by :user

      def connect
        self.user = "ann"
      end
    end

    class CountingChannel < ActionCable::Channel::Base
      def count
        transmit({ user => @count = @count.to_i + 1, rails: defined?(Rails).inspect })
      end
    end

    config = ActionCable.server.config
    config.cable, config.log_tags, config.disable_request_forgery_protection = { "adapter" => "async" }, [], true
    config.logger = Logger.new($stderr)
    config.connection_class = -> { Connection }

    client = Bridge.new(ActionCable.server).client
    client.subscribe("CountingChannel")
    2.times { puts JSON.generate(client.perform("CountingChannel", "count").messages) }
    puts client.disconnect.status
  RUBY

  test "a connection lives through its events" do
    load_path = $LOAD_PATH.grep(/#{Regexp.escape(File.expand_path("..", __dir__))}/).flat_map { |path| [ "-I", path ] }
    out, errors, = Open3.capture3({ "CABLESTAY_SECRET" => "c" * 64 }, RbConfig.ruby, *load_path, "-e", SCRIPT)

    assert_equal [ '[{"ann":1,"rails":"nil"}]', '[{"ann":2,"rails":"nil"}]', "200" ], out.lines(chomp: true), errors
  end
end
