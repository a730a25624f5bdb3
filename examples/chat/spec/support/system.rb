# frozen_string_literal: true

require "capybara/rspec"
require "selenium-webdriver"

# System specs drive Chromium against servers that bin/specs has started: Rails on Puma with Redis and, if
# asked for, Cablestay. Those see only what is committed, so there are no transactions here.
RSpec.configure do |config|
  config.filter_run_excluding type: :system unless ENV["CHAT_URL"]

  config.before(:each, type: :system) { driven_by :chromium }
  config.after(:each, type: :system) do
    Capybara.reset_sessions!
    [ Message, Notification, Member, ChatRoom, User, Organization, Account ].each(&:delete_all)
  end
end

Capybara.run_server = false
Capybara.enable_aria_label = true
Capybara.default_max_wait_time = 15
Capybara.save_path = Rails.root.join("tmp/screenshots", ENV.fetch("CHAT_CABLE", "stock"))

Capybara.register_driver :chromium do |app|
  options = Selenium::WebDriver::Chrome::Options.new
  %w[--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --window-size=1280,800].each { |argument| options.add_argument(argument) }

  # A chromedriver of the machine's, so that Rails may run in a root folder that has no browser.
  Capybara::Selenium::Driver.new(app, browser: :remote, url: ENV.fetch("CHROMEDRIVER_URL"), options: options)
end
