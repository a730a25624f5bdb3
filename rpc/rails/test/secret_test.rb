# frozen_string_literal: true

require "open3"

class SecretTest < ActiveSupport::TestCase
  teardown { ENV.delete("CABLESTAY_SECRET") }

  test "the secret is derived from the app's, unless it is set" do
    derived = Rails.application.key_generator.generate_key("cablestay rpc", 32).unpack1("H*")
    assert_equal derived, Cablestay::Secret.shared

    ENV["CABLESTAY_SECRET"] = "chosen"
    assert_equal "chosen", Cablestay::Secret.shared
  end

  test "a secret that is set is the key of the proof" do
    ENV["CABLESTAY_SECRET"] = "chosen"
    body = JSON.generate({ contract: 1, id: "a" })

    assert_equal 200, Bridge.new.post("hello", body, Bridge.proof("hello", body, "a", secret: "chosen")).status
    ENV.delete("CABLESTAY_SECRET")
    assert_equal 401, Bridge.new.post("hello", body, Bridge.proof("hello", body, "a", secret: "chosen")).status
  end

  test "a blank secret is an error that names the variable" do
    ENV["CABLESTAY_SECRET"] = " "
    error = assert_raises(Cablestay::ConfigurationError) { Cablestay::Secret.shared }

    assert_match(/CABLESTAY_SECRET is blank/, error.message)
  end

  test "a blank secret stops the start of the app" do
    _, errors, status = dummy("1", "CABLESTAY_SECRET" => "")

    assert_not status.success?
    assert_includes errors, "CABLESTAY_SECRET is blank"
  end

  test "the rake task prints the secret" do
    out, errors, = dummy(<<~RUBY)
      require "rake"
      Rails.application.load_tasks
      Rake::Task["environment"].clear # would look for config/environment.rb
      Rake::Task.define_task(:environment)
      Rake::Task["cablestay:secret"].invoke
    RUBY

    assert_equal "#{Cablestay::Secret.shared}\n", out, errors
  end

  private
    # Runs a script in a process of its own, where the dummy app starts.
    def dummy(script, variables = {})
      application = File.expand_path("dummy/application", __dir__)
      load_path = $LOAD_PATH.grep(/#{Regexp.escape(File.expand_path("..", __dir__))}/).flat_map { |path| [ "-I", path ] }
      Open3.capture3(variables, RbConfig.ruby, *load_path, "-r", application, "-e", script)
    end
end
