# frozen_string_literal: true

require "open3"

# The tests of an app (app_tests), with what Rails and rspec-rails give for channels and connections: the very same results
# without the gem and with it.
class TestHelpersTest < ActiveSupport::TestCase
  test "Rails' own test helpers" do
    stock, ours = both { [ RbConfig.ruby, file("minitest.rb"), "--seed", "1" ] }

    assert_match(/^(\d\d) runs, \d+ assertions, 0 failures, 0 errors, 0 skips$/, stock)
    assert_equal stock[/^\d+ runs.*/], ours[/^\d+ runs.*/], ours
  end

  test "rspec-rails' channel specs" do
    stock, ours = both { [ "rspec", "--options", File::NULL, "--seed", "1", *Dir[file("spec/*_spec.rb")] ] }

    assert_match(/^8 examples, 0 failures$/, stock)
    assert_equal stock[/^\d+ examples.*/], ours[/^\d+ examples.*/], ours
  end

  private
    def file(name)
      File.join(__dir__, "app_tests", name)
    end

    # Without the gem it must not even be found.
    def both
      lib = File.expand_path("../lib", __dir__)
      [ { "APP_TESTS_GEM" => nil, "RUBYLIB" => nil }, { "APP_TESTS_GEM" => "1", "RUBYLIB" => lib } ].map do |env|
        Open3.capture2e({ "RUBYOPT" => nil, "LANG" => "C.UTF-8" }.merge(env), *yield, chdir: __dir__).first
      end
    end
end
