# frozen_string_literal: true

RSpec.describe "Chat", type: :system do
  self.use_transactional_tests = false

  let(:organization) { create(:organization) }
  let(:ada) { create(:user, organization: organization, name: "Ada Lovelace", email: "ada@example.test", avatar_url: "/avatars/ada.svg") }
  let(:grace) { create(:user, organization: organization, name: "Grace Hopper", email: "grace@example.test", avatar_url: "/avatars/grace.svg") }
  let!(:room) { create(:chat_room, name: "General", topic: "Everything and nothing", members: [ ada, grace ]) }

  before { Capybara.app_host = ENV.fetch("CHAT_URL") }

  it "lets two people talk, see each other and nudge each other in real time" do
    as(:ada) do
      log_in ada, "Log in"
      expect(page).to have_css(".status.connected")
    end

    as(:grace) do
      log_in grace, "Log in with Warden"
      expect(page).to have_css(".status.connected")
      expect(page).to have_css(".online-user", count: 2)
    end

    as(:ada) do
      expect(page).to have_css(".online-user[data-name='Grace Hopper']")
      fill_in "message-input", with: "Hello from Ada!"
      click_button "Send"
      expect(page).to have_css(".message.own", text: "Hello from Ada!", count: 1)
    end

    as(:grace) do
      expect(page).to have_css(".message", text: "Hello from Ada!", count: 1)
      fill_in "message-input", with: "Hello back from "
    end

    as(:ada) do
      expect(page).to have_css(".message .read")
      find("#message-input").send_keys "…"
      page.save_screenshot "ada.png"
    end

    as(:grace) do
      expect(page).to have_css(".typing-indicator", text: "Ada Lovelace is typing")
      find("#message-input").send_keys "Grace!"
      click_button "Send"
      page.save_screenshot "grace.png"
    end

    as(:ada) do
      expect(page).to have_css(".message:not(.own)", text: "Hello back from Grace!", count: 1)

      click_button "Notifications"
      select "Grace Hopper", from: "Notify whom"
      fill_in "Notification", with: "Tea at four?"
      click_button "Notify"
    end

    as(:grace) do
      expect(page).to have_css(".unread", text: "1")
      click_button "Notifications"
      find(".notification.new", text: "Tea at four?").click
      expect(page).to have_no_css(".unread")
      page.save_screenshot "notification.png"
    end

    as(:ada) do
      click_button "Sign out"
      expect(page).to have_button("Log in")
    end

    as(:grace) do
      expect(page).to have_css(".online-user", count: 1)
      expect(page).to have_css(".status.connected")
    end
  end

  private
    def as(person, &block)
      using_session(person, &block)
    end

    def log_in(user, button)
      visit "/login"
      fill_in "Email", with: user.email
      fill_in "Password", with: "let-me-in"
      click_button button, exact: true
    end
end
