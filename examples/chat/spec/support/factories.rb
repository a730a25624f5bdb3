# frozen_string_literal: true

# create(:user, name: "Ada"): records with whatever they need and the test does not care about.
module Factories
  def create(kind, **attributes)
    send(:"create_#{kind}", **attributes)
  end

  private
    def create_account(name: "Analytical Engines", **attributes)
      Account.create!(name: name, **attributes)
    end

    def create_organization(account: create_account, name: "Difference Club", **attributes)
      Organization.create!(account: account, name: name, **attributes)
    end

    def create_user(organization: create_organization, **attributes)
      @users = @users.to_i + 1
      User.create!(
        account: organization ? organization.account : create_account, organization: organization,
        name: "Person #{@users}", email: "person-#{@users}@example.test", password: "let-me-in", **attributes
      )
    end

    def create_chat_room(members: [], **attributes)
      ChatRoom.create!(name: "General", **attributes).tap do |room|
        members.each { |user| room.members.create!(user: user) }
      end
    end

    def create_message(user: create_user, chat_room: create_chat_room, **attributes)
      Message.create!(user: user, chat_room: chat_room, content: "Hello", **attributes)
    end

    def create_notification(recipient:, sender: recipient, **attributes)
      Notification.create!(recipient: recipient, sender: sender, title: "Look", **attributes)
    end
end
